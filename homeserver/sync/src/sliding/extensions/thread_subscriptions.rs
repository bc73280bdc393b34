use echorift_rooms::{RoomError, Subscription};
use echorift_storage::Position;
use echorift_web::MatrixError;
use ruma::{
    UInt,
    api::client::threads::get_thread_subscriptions_changes::unstable::{
        ThreadSubscription, ThreadUnsubscription,
    },
};

use super::{Look, Told};
use crate::{Syncs, sliding::connection::Sent};

/// The most changes of one answer; the rest is behind `prev_batch` (MSC4308).
const CHANGES_MAX: usize = 100;

impl Syncs {
    /// The extension `thread_subscriptions` (MSC4308).
    pub(super) async fn tell_thread_subscriptions(
        &self,
        look: Look<'_>,
        sent: &mut Sent,
        told: &mut Told,
    ) -> Result<(), MatrixError> {
        let turn = look.turn;
        let wishes = &turn.wishes.extensions.thread_subscriptions;
        if wishes.enabled != Some(true) {
            sent.threads = false;
            return Ok(());
        }
        let known = turn.since.filter(|_| sent.threads);
        let after = known.map_or(Position(i64::MIN), |since| since.position);
        sent.threads = true;
        let limit = wishes
            .limit
            .and_then(|limit| usize::try_from(u64::from(limit)).ok());
        let limit = limit.unwrap_or(CHANGES_MAX).clamp(1, CHANGES_MAX);
        let page = self
            .rooms()
            .thread_changes(turn.reader.user, (after, turn.now.position), limit)
            .await
            .map_err(RoomError::from)?;
        let answer = &mut told.extensions.thread_subscriptions;
        for change in page.changes {
            let bump_stamp = UInt::try_from(change.position.0).unwrap_or(UInt::MAX);
            let automatic = match change.subscription {
                Subscription::Manual => false,
                Subscription::Automatic => true,
                Subscription::Ended => {
                    let of_room = answer.unsubscribed.entry(change.room).or_default();
                    of_room.insert(change.root, ThreadUnsubscription { bump_stamp });
                    continue;
                }
            };
            let subscription = ThreadSubscription {
                automatic,
                bump_stamp,
            };
            let of_room = answer.subscribed.entry(change.room).or_default();
            of_room.insert(change.root, subscription);
        }
        answer.prev_batch = page.next.map(|token| token.to_string());
        told.is_news |= !answer.is_empty();
        Ok(())
    }
}
