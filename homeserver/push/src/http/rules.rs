use axum::{Json, Router, extract::State};
use echorift_accounts::push_rules_content;
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Routes as _, Ruma, Session};
use ruma::{
    api::client::push::{
        PushRule, delete_pushrule, get_pushrule, get_pushrule_actions, get_pushrule_enabled,
        get_pushrules_all, get_pushrules_global_scope, set_pushrule, set_pushrule_actions,
        set_pushrule_enabled,
    },
    push::{AnyPushRule, InsertPushRuleError, NewPushRule, RemovePushRuleError, RuleKind, Ruleset},
};

use serde_json::Value;

use super::new_rule::NewRule;
use crate::rules::PushRules;

pub(super) fn router() -> Router<PushRules> {
    Router::new()
        .ruma::<get_pushrules_all::v3::Request, _, _>(list)
        .ruma::<get_pushrules_global_scope::v3::Request, _, _>(list_global)
        .ruma::<get_pushrule::v3::Request, _, _>(get)
        .ruma::<set_pushrule::v3::Request, _, _>(set)
        .ruma::<delete_pushrule::v3::Request, _, _>(delete)
        .ruma::<get_pushrule_enabled::v3::Request, _, _>(get_enabled)
        .ruma::<set_pushrule_enabled::v3::Request, _, _>(set_enabled)
        .ruma::<get_pushrule_actions::v3::Request, _, _>(get_actions)
        .ruma::<set_pushrule_actions::v3::Request, _, _>(set_actions)
}

/// `GET /_matrix/client/v3/pushrules/`.
async fn list(
    State(rules): State<PushRules>,
    session: Session,
    Ruma(_): Ruma<get_pushrules_all::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let global = of(&rules, &session).await?;
    Ok(Json(push_rules_content(&global).map_err(MatrixError::internal)?))
}

/// `GET /_matrix/client/v3/pushrules/global/`.
async fn list_global(
    State(rules): State<PushRules>,
    session: Session,
    Ruma(_): Ruma<get_pushrules_global_scope::v3::Request>,
) -> Result<Json<Value>, MatrixError> {
    let global = of(&rules, &session).await?;
    let mut content = push_rules_content(&global).map_err(MatrixError::internal)?;
    Ok(Json(
        content.get_mut("global").map(Value::take).unwrap_or_default(),
    ))
}

/// `GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}`.
async fn get(
    State(rules): State<PushRules>,
    session: Session,
    Ruma(request): Ruma<get_pushrule::v3::Request>,
) -> Result<Ruma<get_pushrule::v3::Response>, MatrixError> {
    let rule = find(&of(&rules, &session).await?, request.kind, &request.rule_id)?;
    Ok(Ruma(get_pushrule::v3::Response { rule }))
}

/// `PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}`.
async fn set(
    State(rules): State<PushRules>,
    session: Session,
    NewRule(request): NewRule,
) -> Result<Ruma<set_pushrule::v3::Response>, MatrixError> {
    let set_pushrule::v3::Request { rule, before, after } = request;
    // Only the server has rules of this kind (MSC4306).
    if matches!(rule, NewPushRule::PostContent(_)) {
        return Err(MatrixError::invalid_param("Rules of this kind cannot be made."));
    }
    change(&rules, &session, |rules| {
        rules
            .insert(rule, after.as_deref(), before.as_deref())
            .map_err(refuse_insert)
    })
    .await?;
    Ok(Ruma(set_pushrule::v3::Response {}))
}

/// `DELETE /_matrix/client/v3/pushrules/global/{kind}/{ruleId}`.
async fn delete(
    State(rules): State<PushRules>,
    session: Session,
    Ruma(request): Ruma<delete_pushrule::v3::Request>,
) -> Result<Ruma<delete_pushrule::v3::Response>, MatrixError> {
    change(&rules, &session, |rules| {
        rules
            .remove(known_kind(request.kind), &request.rule_id)
            .map_err(refuse_remove)
    })
    .await?;
    Ok(Ruma(delete_pushrule::v3::Response {}))
}

/// `GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled`.
async fn get_enabled(
    State(rules): State<PushRules>,
    session: Session,
    Ruma(request): Ruma<get_pushrule_enabled::v3::Request>,
) -> Result<Ruma<get_pushrule_enabled::v3::Response>, MatrixError> {
    let enabled = find(&of(&rules, &session).await?, request.kind, &request.rule_id)?.enabled;
    Ok(Ruma(get_pushrule_enabled::v3::Response { enabled }))
}

/// `PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled`.
async fn set_enabled(
    State(rules): State<PushRules>,
    session: Session,
    Ruma(request): Ruma<set_pushrule_enabled::v3::Request>,
) -> Result<Ruma<set_pushrule_enabled::v3::Response>, MatrixError> {
    let set_pushrule_enabled::v3::Request {
        kind,
        rule_id,
        enabled,
    } = request;
    change(&rules, &session, |rules| {
        rules
            .set_enabled(known_kind(kind), rule_id, enabled)
            .map_err(|_| no_such_rule())
    })
    .await?;
    Ok(Ruma(set_pushrule_enabled::v3::Response {}))
}

/// `GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions`.
async fn get_actions(
    State(rules): State<PushRules>,
    session: Session,
    Ruma(request): Ruma<get_pushrule_actions::v3::Request>,
) -> Result<Ruma<get_pushrule_actions::v3::Response>, MatrixError> {
    let actions = find(&of(&rules, &session).await?, request.kind, &request.rule_id)?.actions;
    Ok(Ruma(get_pushrule_actions::v3::Response { actions }))
}

/// `PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions`.
async fn set_actions(
    State(rules): State<PushRules>,
    session: Session,
    Ruma(request): Ruma<set_pushrule_actions::v3::Request>,
) -> Result<Ruma<set_pushrule_actions::v3::Response>, MatrixError> {
    let set_pushrule_actions::v3::Request {
        kind,
        rule_id,
        actions,
    } = request;
    change(&rules, &session, |rules| {
        rules
            .set_actions(known_kind(kind), rule_id, actions)
            .map_err(|_| no_such_rule())
    })
    .await?;
    Ok(Ruma(set_pushrule_actions::v3::Response {}))
}

async fn of(rules: &PushRules, session: &Session) -> Result<Ruleset, MatrixError> {
    Ok(rules
        .of(UserNumber(session.user_number), &session.user_id)
        .await?)
}

async fn change(
    rules: &PushRules,
    session: &Session,
    change: impl FnOnce(&mut Ruleset) -> Result<(), MatrixError>,
) -> Result<(), MatrixError> {
    rules
        .change((UserNumber(session.user_number), &session.user_id), change)
        .await?
}

fn find(rules: &Ruleset, kind: RuleKind, rule_id: &str) -> Result<PushRule, MatrixError> {
    let rule = rules.get(known_kind(kind), rule_id).ok_or_else(no_such_rule)?;
    // ruma's own conversion panics at this kind.
    Ok(match rule.to_owned() {
        AnyPushRule::PostContent(rule) => rule.into(),
        rule => rule.into(),
    })
}

/// The rules of threads stand under `postcontent` in the list, and clients that take that for the kind's name are right
/// by MSC4306; ruma knows only its longer name.
fn known_kind(kind: RuleKind) -> RuleKind {
    if kind.as_str() == "postcontent" {
        RuleKind::PostContent
    } else {
        kind
    }
}

fn no_such_rule() -> MatrixError {
    MatrixError::not_found("You have no such push rule.")
}

fn refuse_insert(refusal: InsertPushRuleError) -> MatrixError {
    match refusal {
        InsertPushRuleError::UnknownRuleId => {
            MatrixError::not_found("The rule to stand beside does not exist.")
        }
        refusal => MatrixError::invalid_param(format!("{refusal}.")),
    }
}

fn refuse_remove(refusal: RemovePushRuleError) -> MatrixError {
    match refusal {
        RemovePushRuleError::NotFound => no_such_rule(),
        refusal => MatrixError::invalid_param(format!("{refusal}.")),
    }
}
