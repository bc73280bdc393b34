//! `GET /sync` (CS API § Syncing).

mod answer;
mod assemble;
mod devices;
mod event_fields;
mod event_format;
mod lazy;
mod membership;
mod options;
mod plan;

pub(crate) use self::{
    answer::Answer,
    lazy::LazyMembers,
    options::{Options, SavedFilters},
    plan::Plan,
};

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use echorift_rooms::{FilterText, Reader, Room, RoomError};
use echorift_storage::{Position, RoomNumber};
use echorift_web::{MatrixError, Session};
use ruma::{
    DeviceId,
    api::client::sync::sync_events::v3::{InvitedRoom, JoinedRoom, KnockedRoom, LeftRoom, Request, Response},
};
use tokio::time::Instant;

use crate::{
    Changes, Syncs,
    feeds::Feed,
    presence::newcomers,
    sticky::StickyPlace,
    timeline::WantedEvents,
    token::SyncToken,
    v2::{devices::ClientToken, membership::Standing},
};

/// How long a client may have a sync wait. Longer than any client asks for, shorter than what proxies allow.
const TIMEOUT_MAX: Duration = Duration::from_secs(120);

/// What one sync is about.
pub(crate) struct Scope<'a> {
    pub reader: &'a Reader,
    pub device: &'a DeviceId,
    pub options: &'a Options,
    /// Where the client is; `None` for the first time.
    pub since: Option<SyncToken>,
    /// Up to where the device has heard of messages to it.
    pub messages_after: Position,
    /// Where the client is with sticky events, if it is behind with those.
    pub sticky_after: Option<&'a StickyPlace>,
    pub now: SyncToken,
}

impl Scope<'_> {
    fn wanted_events(&self) -> WantedEvents<'_> {
        WantedEvents {
            reader: self.reader,
            matcher: &self.options.timeline,
            limit: self.options.timeline_limit,
        }
    }

    /// The position after which the client wants to hear of everything.
    pub fn after(&self) -> Option<Position> {
        self.since.map(|since| since.position)
    }
}

impl Syncs {
    /// Answers as soon as there is something new for the reader, and after the timeout in any case. `filter` is the
    /// request's filter as it was sent.
    ///
    /// Errors: `M_INVALID_PARAM` for a token or a filter that is none of ours; `M_UNKNOWN_TOKEN` or `M_USER_LOCKED` as soon as
    /// the session ends while it waits.
    pub async fn sync(
        &self,
        session: &Session,
        request: Request,
        filter: &FilterText,
    ) -> Result<Response, MatrixError> {
        let reader = Reader::of_session(session, self.accounts()).await?;
        let saved = (self.filters(), self.accounts());
        let options = Options::of(saved, reader.user, &request, filter).await?;
        let bad_token = |_| MatrixError::invalid_param("This `since` is not a token of this server.");
        let token: Option<ClientToken> = request
            .since
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(bad_token)?;
        let mut since = token.as_ref().map(|token| token.sync);
        let messages_after = token.as_ref().map_or(Position(0), ClientToken::messages_until);
        let mut sticky_after = token.as_ref().and_then(|token| token.sticky.as_ref());
        let mut messages_after = messages_after.min(self.now().position);
        self.encryption()
            .acknowledge(reader.user, &session.device_id, messages_after)
            .await
            .map_err(RoomError::from)?;
        let _about = self.presence_of_poll(reader.user, request.set_presence);
        let feed = self.feeds().of(reader.user);
        let deadline = Instant::now() + request.timeout.unwrap_or_default().min(TIMEOUT_MAX);
        let mut stopping = self.stopping();
        loop {
            // Before looking, so that nothing that happens in between is missed.
            let mut changed = std::pin::pin!(feed.changed());
            changed.as_mut().enable();
            self.accounts().check_still_valid(session)?;
            let now = self.now();
            // A token from the future was given out before the database was restored from a backup.
            since = since.map(|since| SyncToken {
                position: since.position.min(now.position),
                ..since
            });
            let changes = match since {
                Some(since) if !options.full_state => match feed.since(since) {
                    // There were more messages to the device or sticky events than one answer takes.
                    Changes::Nothing if messages_after < since.position || sticky_after.is_some() => {
                        Changes::In(Vec::new())
                    }
                    changes => changes,
                },
                _ => Changes::Unknown,
            };
            // The feed hears of a change an instant before its position is visible. An answer made in that instant
            // would lack the change, and the wait after it would have missed the wake-up: look again after it.
            let heard = feed.latest();
            if since.is_some() && heard > now.position {
                self.visible_at_least(heard).await;
                continue;
            }
            if changes != Changes::Nothing {
                let scope = Scope {
                    reader: &reader,
                    device: &session.device_id,
                    options: &options,
                    since,
                    messages_after,
                    sticky_after,
                    now,
                };
                // Boxed: a waiting poll need not hold room for what building an answer takes.
                let response = Box::pin(self.respond(&scope, &feed, changes)).await?;
                let is_first = request.since.is_none() || options.full_state;
                if is_first || !is_empty(&response) || Instant::now() >= deadline {
                    return Ok(response);
                }
                since = Some(now);
                messages_after = now.position;
                sticky_after = None;
            }
            // Not left to the timer, which would round "no wait" up to a millisecond.
            let is_over = Instant::now() >= deadline;
            let is_over = is_over
                || tokio::select! {
                    () = changed => false,
                    () = tokio::time::sleep_until(deadline) => true,
                    _ = stopping.wait_for(|stop| *stop) => true,
                };
            if is_over {
                let mut response = Response::new(since.unwrap_or(now).to_string());
                self.add_key_counts(reader.user, &session.device_id, &mut response)
                    .await?;
                return Ok(response);
            }
        }
    }

    /// What happened between `since` and `now`.
    async fn respond(
        &self,
        scope: &Scope<'_>,
        feed: &Feed,
        mut changes: Changes,
    ) -> Result<Response, MatrixError> {
        let (memberships, now) = self.memberships(scope.reader.user, scope.now).await?;
        // The answer may now go further than the changes that were asked for.
        if let (Changes::In(_), Some(since), true) = (&changes, scope.since, now != scope.now) {
            changes = feed.since(since);
        }
        let scope = Scope { now, ..*scope };
        let candidates: Vec<RoomNumber> = match changes {
            Changes::In(mut rooms) => {
                let typing = scope
                    .since
                    .map(|since| self.typing().rooms_changed_after(since.ephemeral));
                rooms.extend(typing.unwrap_or_default());
                if scope.sticky_after.is_some() {
                    let sticky = self.rooms().rooms_with_sticky_events(scope.reader.user).await;
                    rooms.extend(sticky.map_err(RoomError::from)?);
                }
                rooms.sort_unstable();
                rooms.dedup();
                rooms
            }
            _ => memberships.keys().copied().collect(),
        };
        let standing = self.standings(&scope, &memberships, &candidates).await?;
        let mut response = Response::new(now.to_string());
        let (joined, left) = self.plan_rooms(&scope, &standing).await?;
        let sticky = self.plan_sticky(&scope, &joined).await?;
        // The first sync tells everybody's presence anyway.
        let newcomers = scope.since.map(|_| newcomers(&joined)).unwrap_or_default();
        response.rooms.join = self.assemble_joined(&scope, joined, &sticky).await?;
        response.rooms.leave = self.assemble_left(&scope, left).await?;
        for (room, standing) in &standing {
            match standing {
                Standing::Invited => {
                    let stripped = self.stripped_state(room, scope.reader).await?;
                    if let Some(events) = stripped {
                        response.rooms.invite.insert(
                            room.id.clone(),
                            InvitedRoom {
                                invite_state: events.into(),
                            },
                        );
                    }
                }
                Standing::Knocked => {
                    let events = self.stripped_state(room, scope.reader).await?.unwrap_or_default();
                    let knock_state = ruma::api::client::sync::sync_events::v3::KnockState { events };
                    response
                        .rooms
                        .knock
                        .insert(room.id.clone(), KnockedRoom { knock_state });
                }
                _ => {}
            }
        }
        response.account_data = self.global_account_data(&scope).await?;
        response.presence = self.presence_for(&scope, &newcomers).await?;
        let sticky_place = sticky.has_more.then_some(sticky.place);
        self.add_device_news(&scope, sticky_place, &mut response).await?;
        Ok(response)
    }
}

/// Rooms by how the reader stands to them, in the order in which they are answered.
pub(crate) type Standings = Vec<(Arc<Room>, Standing)>;
pub(crate) type Joined = BTreeMap<ruma::OwnedRoomId, JoinedRoom>;
pub(crate) type Left = BTreeMap<ruma::OwnedRoomId, LeftRoom>;

fn is_empty(response: &Response) -> bool {
    response.rooms.is_empty()
        && response.account_data.is_empty()
        && response.presence.is_empty()
        && response.to_device.is_empty()
        && response.device_lists.is_empty()
}
