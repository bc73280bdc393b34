//! The endpoints of push rules, pushers and notifications (CS API § Push notifications).

mod new_rule;
mod notifications;
mod pushers;
mod rules;

use axum::Router;

use crate::{Push, rules::PushRules};

pub(crate) fn router(push: Push) -> Router {
    let rules = rules::router().with_state(PushRules::new(push.0.accounts.clone()));
    Router::new()
        .merge(pushers::router())
        .merge(notifications::router())
        .with_state(push)
        .merge(rules)
}
