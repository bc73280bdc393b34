use std::{sync::Arc, time::Duration};

use echorift_rooms::{Event, Outcome, Room, RoomError};
use echorift_storage::{EventNumber, Position, RoomNumber, UserNumber};
use ruma::{UserId, events::room::member::MembershipState};

use super::{Push, inbox::Heard, outbox::Waiting};
use crate::{
    pusher::{Channel, Pusher},
    store,
};

/// How many missed events are read at a time.
const PAGE: i64 = 500;
/// How long to wait before reading on after the database has failed.
const PAUSE: Duration = Duration::from_secs(1);

impl Push {
    /// Reads the log from the cursor on, and then whatever comes.
    pub(super) async fn follow(self) {
        let mut must_catch_up = true;
        loop {
            let result = if must_catch_up {
                self.catch_up().await
            } else {
                self.0.inbox.heard().await;
                self.work_off().await
            };
            must_catch_up = match result {
                Ok(is_cut) => is_cut,
                Err(error) => {
                    tracing::warn!(%error, "who is to be notified could not be found out; tried again in a second");
                    tokio::time::sleep(PAUSE).await;
                    true
                }
            };
        }
    }

    /// Looks at what happened since the last look, from the database. Returns whether to do it again.
    async fn catch_up(&self) -> Result<bool, RoomError> {
        // What the inbox holds is read from the database as well. It may be ahead of what is visible by an instant.
        let told = self.0.inbox.take().up_to;
        let to = self.0.database.log().visible().max(told);
        let give_up_after = i64::try_from(self.0.options.give_up_after.as_millis()).unwrap_or(i64::MAX);
        let since = self.0.rooms.clock().now().plus_ms(give_up_after.saturating_neg());
        loop {
            let after = self.evaluated();
            let page = store::log::missed(&self.0.database, (after, to), since, PAGE).await?;
            for logged in &page {
                self.consider(logged.room, logged.event, None).await?;
                self.set_evaluated(logged.position);
            }
            if i64::try_from(page.len()).unwrap_or(PAGE) < PAGE {
                break;
            }
        }
        self.set_evaluated(to);
        self.0.inbox.knock();
        Ok(false)
    }

    /// Looks at what the log has said. Returns whether it said more than the inbox holds.
    async fn work_off(&self) -> Result<bool, RoomError> {
        let taken = self.0.inbox.take();
        if taken.is_cut {
            return Ok(true);
        }
        for (position, heard) in taken.records {
            if position <= self.evaluated() {
                continue;
            }
            match heard {
                Heard::Event { room, event, member } => self.consider(room, event, member).await?,
                Heard::Read { room, user } => self.has_read(room, user).await?,
            }
            self.set_evaluated(position);
        }
        self.set_evaluated(taken.up_to);
        Ok(false)
    }

    /// Tells everyone with a pusher whose rules want it.
    async fn consider(
        &self,
        room: RoomNumber,
        event: EventNumber,
        member: Option<UserNumber>,
    ) -> Result<(), RoomError> {
        if !self.0.pushers.has_any() {
            return Ok(());
        }
        let Some(room) = self.0.rooms.load(&[room]).await?.pop() else {
            return Ok(());
        };
        let view = room.view();
        let mut users = self.0.pushers.users_among(&view.members.joined_local);
        // An invitation is for who is not in the room.
        let invited = member.filter(|user| !users.contains(user) && self.0.pushers.has(*user));
        users.extend(invited);
        if member.is_none() {
            // Of a missed event it is not known whom it is about.
            users.extend(self.0.pushers.users_among(&view.members.invited));
        }
        if users.is_empty() {
            return Ok(());
        }
        let Some(event) = self.0.rooms.events(&[event]).await?.pop() else {
            return Ok(());
        };
        if event.outcome != Outcome::Accepted {
            return Ok(());
        }
        let ids = self.0.rooms.user_ids(&users).await?;
        for (user, user_id) in users.into_iter().zip(ids) {
            self.tell((user, &user_id), &room, &event).await?;
        }
        Ok(())
    }

    async fn tell(
        &self,
        (user, user_id): (UserNumber, &UserId),
        room: &Arc<Room>,
        event: &Arc<Event>,
    ) -> Result<(), RoomError> {
        let is_own_membership =
            event.pdu.is_state() && event.pdu.state_key.as_deref() == Some(user_id.as_str());
        if event.sender == user || (is_own_membership && !self.is_invited(user, room).await?) {
            // Who writes has read; who is gone has nothing unread here.
            return self.update_badge((user, user_id), room).await;
        }
        if !is_own_membership && !self.was_joined(user, room, event).await? {
            return Ok(());
        }
        let judged = self.0.unread.judge((user, user_id), room, event).await?;
        if !judged.verdict.notifies() || judged.is_read {
            return Ok(());
        }
        self.0.badges.refresh((user, user_id), room).await?;
        for pusher in self.0.pushers.of(user) {
            if !pusher.is_told() || pusher.delivered() >= event.position() {
                continue;
            }
            match pusher.channel {
                Channel::Email(_) => self.expect_letter(&pusher),
                Channel::Http { .. } | Channel::WebPush(_) => self.enqueue(
                    &pusher,
                    Waiting {
                        room: room.number,
                        event: event.number,
                        position: event.position(),
                        actions: Arc::clone(&judged.verdict.actions),
                        queued: self.0.rooms.clock().now(),
                    },
                ),
            }
        }
        Ok(())
    }

    async fn is_invited(&self, user: UserNumber, room: &Room) -> Result<bool, RoomError> {
        let rooms = self.0.rooms.rooms_of(user).await?;
        let own = rooms.get(&room.number);
        Ok(own.is_some_and(|own| own.membership == MembershipState::Invite))
    }

    /// Whether the user was in the room when the event was sent, and is now.
    async fn was_joined(&self, user: UserNumber, room: &Room, event: &Event) -> Result<bool, RoomError> {
        let rooms = self.0.rooms.rooms_of(user).await?;
        let own = rooms.get(&room.number);
        match own.filter(|own| own.membership == MembershipState::Join) {
            None => Ok(false),
            Some(own) if own.position <= event.position() => Ok(true),
            Some(_) => {
                let then = self.0.rooms.membership_at(room, user, event.position()).await?;
                Ok(then == MembershipState::Join)
            }
        }
    }

    async fn has_read(&self, room: RoomNumber, user: UserNumber) -> Result<(), RoomError> {
        let Some(room) = self.0.rooms.load(&[room]).await?.pop() else {
            return Ok(());
        };
        let user_id = self.0.rooms.user_id(user).await?;
        self.update_badge((user, &user_id), &room).await
    }

    /// Has the user's phones show how many messages are unread now.
    async fn update_badge(&self, reader: (UserNumber, &UserId), room: &Arc<Room>) -> Result<(), RoomError> {
        let total = self.0.badges.refresh(reader, room).await?;
        for pusher in self.0.pushers.of(reader.0) {
            if !pusher.is_told() || !pusher.channel.shows_counts() {
                continue;
            }
            let starts = {
                let outbox = self.0.outboxes.entry(pusher.key.clone()).or_default();
                outbox.tell_badge(total).then(|| Arc::clone(&outbox))
            };
            if let Some(outbox) = starts {
                tokio::spawn(self.clone().work_off_outbox(pusher.key.clone(), outbox));
            }
        }
        Ok(())
    }

    /// Puts a notification into the pusher's outbox, and sees to it that somebody works it off.
    fn enqueue(&self, pusher: &Pusher, waiting: Waiting) {
        let (starts, gone) = {
            // Added while the entry is held: so no outbox with something in it is taken for an unused one.
            let outbox = self.0.outboxes.entry(pusher.key.clone()).or_default();
            let (is_first, gone) = outbox.add(waiting);
            (is_first.then(|| Arc::clone(&outbox)), gone)
        };
        if let Some(position) = gone {
            metrics::counter!("echorift_push_notifications_total", "outcome" => "displaced").increment(1);
            self.delivered_up_to(pusher, position);
        }
        if let Some(outbox) = starts {
            tokio::spawn(self.clone().work_off_outbox(pusher.key.clone(), outbox));
        }
    }

    pub(super) fn delivered_up_to(&self, pusher: &Pusher, position: Position) {
        pusher.deliver_up_to(position);
        self.0.delivered.note(pusher.key.clone(), pusher.delivered());
    }
}
