//! Letters about what somebody has not read for a while (CS API § Push notifications: pushers of kind `email`).

use std::time::Duration;

use echorift_mail::{DigestMessage, DigestRoom, Letter};
use echorift_rooms::{Event, Room, RoomError};
use echorift_storage::{Position, Timestamp, UserNumber};
use ruma::UserId;
use serde::Deserialize;

use super::Push;
use crate::pusher::{Channel, Letters, Pusher};

/// How many rooms a letter tells of, and how many messages of each.
const ROOMS_MAX: usize = 20;
const MESSAGES_MAX: usize = 5;
/// How much of a message stands in a letter.
const TEXT_CHARACTERS_MAX: usize = 500;
/// How long it takes at most until a letter that is due is looked at.
const INTERVAL: Duration = Duration::from_secs(60);
/// When to try again after the mail server has refused a letter.
const RETRY_MS: i64 = 10 * 60 * 1000;

/// When letters are written (`[email]`).
#[derive(Debug, Clone, Copy)]
pub struct DigestOptions {
    /// How long something is unread before a letter says so.
    pub delay: Duration,
    /// How long after a letter the next one may follow; doubled for who does not read, up to the longest.
    pub pause: Duration,
    pub pause_max: Duration,
}

#[derive(Deserialize)]
struct Body {
    body: Option<String>,
}

impl Push {
    /// Something is unread: a letter is to be looked at after the delay, and not before the pause after the last one is
    /// over.
    pub(super) fn expect_letter(&self, pusher: &Pusher) {
        let now = self.0.rooms.clock().now();
        let mut letters = pusher.letters.lock();
        if letters.due.is_some() {
            return;
        }
        let after_delay = now.plus_ms(milliseconds(self.0.options.digest.delay));
        let after_pause = letters.mailed.map(|mailed| mailed.plus_ms(letters.pause_ms));
        letters.due = Some(after_pause.map_or(after_delay, |end| end.max(after_delay)));
        self.0.delivered.note_letters(pusher.key.clone(), *letters);
        self.0.digests.notify_one();
    }

    /// Writes letters as they become due.
    pub(super) async fn write_letters(self) {
        loop {
            let now = self.0.rooms.clock().now();
            let mut next = now.plus_ms(milliseconds(INTERVAL));
            for pusher in self.0.pushers.with_letters_due() {
                let due = pusher.letters.lock().due.unwrap_or(next);
                if due > now {
                    next = next.min(due);
                    continue;
                }
                if let Err(error) = self.write_letter(&pusher, now).await {
                    tracing::warn!(%error, "a letter about unread messages could not be written");
                    self.set_letters(&pusher, |letters| letters.due = Some(now.plus_ms(RETRY_MS)));
                }
            }
            let wait = u64::try_from(next.0.saturating_sub(self.0.rooms.clock().now().0)).unwrap_or(0);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
                () = self.0.digests.notified() => {}
            }
        }
    }

    async fn write_letter(&self, pusher: &Pusher, now: Timestamp) -> Result<(), RoomError> {
        let user = pusher.key.user;
        let (Channel::Email(address), Some(mailer)) = (&pusher.channel, self.0.accounts.mailer()) else {
            self.set_letters(pusher, |letters| letters.due = None);
            return Ok(());
        };
        let has_address = self.0.accounts.has_email(user, address).await;
        let has_address = has_address.map_err(|error| RoomError::BadRequest(error.to_string()))?;
        if !has_address || self.0.pushers.confirm(&pusher.key).await?.is_none() {
            self.0.pushers.remove(pusher.key.clone()).await?;
            return Ok(());
        }
        let user_id = self.0.rooms.user_id(user).await?;
        let up_to = self.0.database.log().visible();
        let (rooms, has_old) = self.unread_rooms((user, &user_id), pusher.delivered()).await?;
        if rooms.is_empty() {
            // Everything was read meanwhile.
            self.set_letters(pusher, |letters| letters.due = None);
            return Ok(());
        }
        let reader = user_id.localpart();
        if let Err(error) = mailer
            .send(
                address,
                &Letter::Digest {
                    reader,
                    rooms: &rooms,
                },
            )
            .await
        {
            tracing::warn!(%error, "a letter about unread messages was not sent");
            self.set_letters(pusher, |letters| letters.due = Some(now.plus_ms(RETRY_MS)));
            return Ok(());
        }
        self.delivered_up_to(pusher, up_to);
        let options = self.0.options.digest;
        let (pause, longest) = (milliseconds(options.pause), milliseconds(options.pause_max));
        self.set_letters(pusher, |letters| {
            // Who has read the last letter's messages is written to as soon as at first.
            let doubled = letters
                .pause_ms
                .saturating_mul(2)
                .clamp(pause, longest.max(pause));
            *letters = Letters {
                due: None,
                mailed: Some(now),
                pause_ms: if has_old { doubled } else { pause },
            };
        });
        metrics::counter!("echorift_push_letters_total").increment(1);
        Ok(())
    }

    fn set_letters(&self, pusher: &Pusher, change: impl FnOnce(&mut Letters)) {
        let mut letters = pusher.letters.lock();
        change(&mut letters);
        self.0.delivered.note_letters(pusher.key.clone(), *letters);
    }

    /// The rooms with unread messages after `after`, and whether any message before is still unread.
    async fn unread_rooms(
        &self,
        reader: (UserNumber, &UserId),
        after: Position,
    ) -> Result<(Vec<DigestRoom>, bool), RoomError> {
        let numbers = self.0.badges.rooms_with_unread(reader).await?;
        let mut digest = Vec::new();
        let mut has_old = false;
        for room in self.0.rooms.load(&numbers).await? {
            let up_to = room.view().position;
            let all = (Position::default(), up_to);
            let unread = self.0.unread.unread_events(reader, &room, all).await?;
            let events = self.0.rooms.events(&unread).await?;
            let (old, new): (Vec<_>, Vec<_>) =
                events.into_iter().partition(|event| event.position() <= after);
            has_old |= !old.is_empty();
            if new.is_empty() || digest.len() >= ROOMS_MAX {
                continue;
            }
            let more = new.len().saturating_sub(MESSAGES_MAX);
            let mut messages = Vec::new();
            for event in new.iter().skip(more) {
                messages.push(self.digest_message(&room, event).await?);
            }
            let names = self.room_names(&room.view().state).await?;
            let name = names.name.or(names.alias);
            digest.push(DigestRoom {
                name: name.unwrap_or_else(|| "Conversation".to_owned()),
                link: format!("https://matrix.to/#/{}", room.id),
                messages,
                more,
            });
        }
        Ok((digest, has_old))
    }

    async fn digest_message(&self, room: &Room, event: &Event) -> Result<DigestMessage, RoomError> {
        let pdu = &event.pdu;
        let name = self.display_name(&room.view().state, &pdu.sender).await?;
        let body = pdu.content_as::<Body>().ok().and_then(|content| content.body);
        let body = body.filter(|_| self.0.options.include_content);
        Ok(DigestMessage {
            sender: name.unwrap_or_else(|| pdu.sender.to_string()),
            text: body.map(|body| body.chars().take(TEXT_CHARACTERS_MAX).collect()),
        })
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
