//! What a client is told besides rooms (MSC4186 § Extensions).

mod account_data;
mod encryption;
mod receipts;
mod sticky_events;
mod thread_subscriptions;
mod typing;

use std::collections::HashSet;

use echorift_storage::RoomNumber;
use echorift_web::MatrixError;
use ruma::api::client::sync::sync_events::v5::{request::ExtensionRoomConfig, response::Extensions};

use super::{
    connection::{Sent, SentRoom},
    poll::Turn,
    rooms::{RoomAnswers, Stirred},
    windows::Windows,
};
use crate::Syncs;

/// What the extensions tell.
#[derive(Default)]
pub(crate) struct Told {
    pub extensions: Extensions,
    /// Whether it is worth an answer.
    pub is_news: bool,
}

/// What the extensions look at.
#[derive(Clone, Copy)]
struct Look<'a> {
    turn: &'a Turn<'a>,
    windows: &'a Windows,
    rooms: &'a RoomAnswers,
    stirred: &'a Stirred,
    /// What the client had when it asked.
    before: &'a Sent,
}

impl Syncs {
    /// Everything that the client asked for besides rooms; `sent` becomes what it has then.
    pub(super) async fn tell_extensions(
        &self,
        turn: &Turn<'_>,
        windows: &Windows,
        (rooms, stirred): (&RoomAnswers, &Stirred),
        before: &Sent,
        sent: &mut Sent,
    ) -> Result<Told, MatrixError> {
        let look = Look {
            turn,
            windows,
            rooms,
            stirred,
            before,
        };
        let mut told = Told::default();
        self.tell_account_data(look, sent, &mut told).await?;
        self.tell_receipts(look, sent, &mut told).await?;
        self.tell_typing_of_rooms(look, &mut told).await?;
        self.tell_sticky_events(look, &mut told).await?;
        self.tell_thread_subscriptions(look, sent, &mut told).await?;
        self.tell_encryption(look, sent, &mut told).await?;
        Ok(told)
    }
}

/// A part of a room that an extension tells of, and that the client has or has not.
#[derive(Clone, Copy)]
struct Part {
    has: fn(&SentRoom) -> bool,
    set: fn(&mut SentRoom, bool),
}

impl Look<'_> {
    /// The rooms that an extension is wanted for: those of these lists and subscriptions, of all of them if the client
    /// does not say.
    fn scope(
        &self,
        is_enabled: Option<bool>,
        lists: Option<&[String]>,
        rooms: Option<&[ExtensionRoomConfig]>,
    ) -> HashSet<RoomNumber> {
        let mut scope = HashSet::new();
        if is_enabled != Some(true) {
            return scope;
        }
        let is_named =
            |name: &String| lists.is_none_or(|lists| lists.iter().any(|list| list == "*" || list == name));
        for (_, rooms) in self.windows.lists.iter().filter(|(name, _)| is_named(name)) {
            scope.extend(rooms);
        }
        for (id, number) in &self.windows.subscribed {
            let is_meant = |room: &ExtensionRoomConfig| match room {
                ExtensionRoomConfig::AllSubscribed => true,
                ExtensionRoomConfig::Room(room) => room == id,
            };
            if rooms.is_none_or(|rooms| rooms.iter().any(is_meant)) {
                scope.insert(*number);
            }
        }
        scope
    }

    /// The rooms of the scope where there may be something new of the part, each with what the client had of the room
    /// if it had the part. The client then has it; of rooms outside of the scope where something happened it has not.
    fn rooms_to_tell(
        &self,
        scope: &HashSet<RoomNumber>,
        part: Part,
        sent: &mut Sent,
    ) -> Vec<(RoomNumber, Option<&SentRoom>)> {
        for wanted in &self.windows.rooms {
            let number = wanted.entry.room.number;
            let has_missed = !scope.contains(&number) && self.stirred.contains(number);
            if has_missed
                && sent.rooms.get(&number).is_some_and(|room| (part.has)(room))
                && let Some(room) = sent.rooms.get_mut(&number)
            {
                (part.set)(room, false);
            }
        }
        let mut rooms = Vec::new();
        for number in scope {
            let Some(after) = sent.rooms.get(number) else {
                continue;
            };
            let known = self.before.rooms.get(number).filter(|_| (part.has)(after));
            let is_quiet =
                known.is_some_and(|known| known.behind.is_none()) && !self.stirred.contains(*number);
            if is_quiet {
                continue;
            }
            if !(part.has)(after)
                && let Some(after) = sent.rooms.get_mut(number)
            {
                (part.set)(after, true);
            }
            rooms.push((*number, known));
        }
        rooms
    }
}
