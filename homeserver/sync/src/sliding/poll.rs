use std::{collections::HashSet, sync::Arc, time::Duration};

use echorift_rooms::{EventMatcher, Reader, RoomError};
use echorift_storage::{Position, UserNumber};
use echorift_web::{MatrixError, Session};
use http::StatusCode;
use ruma::OwnedDeviceId;
use tokio::time::Instant;

use super::{
    answer::{Answer, ListAnswer},
    connection::{Pos, Sent},
    connections::{ConnectionError, Connections, Key, Known},
    request::Wishes,
    rooms::Stirred,
};
use crate::{Changes, Syncs, feeds::Feed, token::SyncToken};

/// How long a client may have a sync wait. Longer than any client asks for, shorter than what proxies allow.
const TIMEOUT_MAX: Duration = Duration::from_secs(120);

/// One look at what there is to tell.
pub(crate) struct Turn<'a> {
    pub reader: &'a Reader,
    pub device: &'a OwnedDeviceId,
    pub wishes: &'a Wishes,
    /// Where the client is; `None` for the first time.
    pub since: Option<SyncToken>,
    pub now: SyncToken,
    /// Events after this came since the client last asked; `None` for who never did.
    pub live_after: Option<Position>,
    /// Timelines are not filtered (MSC4186 § Other notes).
    pub matcher: EventMatcher,
}

impl Turn<'_> {
    /// Up to where the client knows the rooms that it follows.
    pub fn known_position(&self) -> Position {
        self.since.map(|since| since.position).unwrap_or_default()
    }
}

/// What a look has found.
struct Found {
    answer: Answer,
    sent: Sent,
    /// Up to where it looked.
    at: SyncToken,
    is_news: bool,
}

impl Syncs {
    /// Answers as soon as there is something new in what the client looks at, and after the timeout in any case.
    ///
    /// Errors: `M_UNKNOWN_POS` for a `pos` that was not given to this connection, or was forgotten: the client starts
    /// anew (MSC4186 § Connections). `M_UNKNOWN_TOKEN` or `M_USER_LOCKED` as soon as the session ends while it waits.
    pub(crate) async fn sliding_sync(
        &self,
        session: &Session,
        wishes: &Wishes,
    ) -> Result<Answer, MatrixError> {
        let reader = Reader::of_session(session, self.accounts()).await?;
        let key = Key {
            user: UserNumber(session.user_number),
            device: session.device_id.clone(),
            conn_id: wishes.conn_id.clone(),
        };
        let known = self.known(&key, wishes.pos.as_deref()).await?;
        let _about = self.presence_of_poll(reader.user, wishes.set_presence.clone());
        let feed = self.feeds().of(reader.user);
        // A new connection is answered at once.
        let timeout = if known.pos.is_some() {
            wishes.timeout
        } else {
            Duration::ZERO
        };
        let deadline = Instant::now() + timeout.min(TIMEOUT_MAX);
        let mut stopping = self.stopping();
        let mut since = known.pos.map(|pos| pos.at);
        let mut sent = Arc::clone(&known.sent);
        let mut answer = None;
        loop {
            // Before looking, so that nothing that happens in between is missed.
            let mut changed = std::pin::pin!(feed.changed());
            changed.as_mut().enable();
            self.accounts().check_still_valid(session)?;
            let now = self.now();
            let changes = match since {
                Some(since) => feed.since(since),
                None => Changes::Unknown,
            };
            // The feed hears of a change an instant before its position is visible: see `Syncs::sync`.
            let heard = feed.latest();
            if since.is_some() && heard > now.position {
                self.visible_at_least(heard).await;
                continue;
            }
            // The first look is for what the client did not ask for before.
            if answer.is_none() || changes != Changes::Nothing {
                let turn = Turn {
                    reader: &reader,
                    device: &key.device,
                    wishes,
                    since,
                    now,
                    live_after: known.pos.map(|pos| pos.at.position),
                    matcher: EventMatcher::default(),
                };
                // Boxed: a waiting poll need not hold room for what building an answer takes.
                let found = Box::pin(self.look(turn, &feed, changes, &sent)).await?;
                since = Some(found.at);
                sent = Arc::new(found.sent);
                answer = Some(found.answer);
                if found.is_news {
                    break;
                }
            }
            let is_over = Instant::now() >= deadline
                || tokio::select! {
                    () = changed => false,
                    () = tokio::time::sleep_until(deadline) => true,
                    _ = stopping.wait_for(|stop| *stop) => true,
                };
            if is_over {
                break;
            }
        }
        let mut answer = answer.ok_or_else(|| MatrixError::internal("a sync has looked at nothing"))?;
        let state = (since.unwrap_or_default(), sent);
        let pos = self
            .connections()
            .remember(&key, &known, state, self.clock().now())
            .await
            .map_err(refuse)?;
        answer.pos = pos.to_string();
        Ok(answer)
    }

    /// What the client has been sent.
    async fn known(&self, key: &Key, pos: Option<&str>) -> Result<Known, MatrixError> {
        let Some(pos) = pos else {
            return Ok(Connections::begin(self.clock().now()));
        };
        let unknown = || {
            MatrixError::new(
                StatusCode::BAD_REQUEST,
                "M_UNKNOWN_POS",
                "This `pos` is not known (any more): start anew without one.",
            )
        };
        let pos: Pos = pos.parse().map_err(|_| unknown())?;
        // One from the future was given out before the database was restored from a backup.
        if pos.at.position > self.now().position {
            return Err(unknown());
        }
        let known = self.connections().find(key, pos).await;
        known.map_err(MatrixError::internal)?.ok_or_else(unknown)
    }

    /// What is new between the client's `pos` and now.
    async fn look(
        &self,
        mut turn: Turn<'_>,
        feed: &Feed,
        mut changes: Changes,
        before: &Sent,
    ) -> Result<Found, MatrixError> {
        let (memberships, now) = self.memberships(turn.reader.user, turn.now).await?;
        // The answer may now go further than the changes that were asked for.
        if let (Some(since), true) = (turn.since, now != turn.now) {
            changes = feed.since(since);
        }
        turn.now = now;
        let stirred = match changes {
            Changes::Nothing => Stirred::In(HashSet::new()),
            Changes::In(rooms) => Stirred::In(rooms.into_iter().collect()),
            Changes::Unknown => Stirred::Anywhere,
        };
        let entries = self.room_list(turn.reader, &memberships, before).await?;
        let windows = self
            .windows(turn.reader, &memberships, &entries, turn.wishes)
            .await?;
        let mut sent = before.clone();
        let rooms = self.tell_rooms(&turn, &windows, &stirred, &mut sent).await?;
        let told = self
            .tell_extensions(&turn, &windows, (&rooms, &stirred), before, &mut sent)
            .await?;
        let is_news = !rooms.is_empty() || told.is_news;
        let count = |(name, count)| (name, ListAnswer { count });
        let answer = Answer {
            pos: String::new(),
            txn_id: turn.wishes.txn_id.clone(),
            lists: windows.counts.into_iter().map(count).collect(),
            rooms,
            extensions: told.extensions,
        };
        Ok(Found {
            answer,
            sent,
            at: turn.now,
            is_news,
        })
    }
}

fn refuse(error: ConnectionError) -> MatrixError {
    match error {
        ConnectionError::TooLarge => {
            MatrixError::invalid_param("What was asked for is more than is remembered: ask for less.")
        }
        ConnectionError::Storage(error) => MatrixError::from(RoomError::from(error)),
    }
}
