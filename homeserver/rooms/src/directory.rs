//! The room directory of this server (CS API § Published room directory).

#[cfg(test)]
mod tests;

use std::{collections::HashSet, str::FromStr, sync::Arc};

use echorift_accounts::Accounts;
use echorift_storage::{Change, RoomNumber, StorageError};
use ruma::{
    UserId,
    directory::{Filter, RoomNetwork},
    room::RoomType,
};

use crate::{
    Room, RoomError, Rooms,
    store::directory::{self, DirectoryPlace, Side},
    summary::SummarisedRoom,
};

/// How many rooms are looked at together for a filtered page.
const STRIDE: usize = 200;
/// How many rooms one request looks at. A page may end early because of it; its token goes on from there.
const LOOKED_AT_MAX: usize = 5_000;

/// Where a page of the directory begins, and on which side of that place it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryToken {
    place: DirectoryPlace,
    side: Side,
}

impl DirectoryToken {
    /// The beginning of the directory.
    pub const START: Self = Self {
        place: DirectoryPlace {
            joined: i64::MAX,
            room: RoomNumber(0),
        },
        side: Side::After,
    };
}

impl std::fmt::Display for DirectoryToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = match self.side {
            Side::After => 'n',
            Side::Before => 'p',
        };
        write!(f, "{side}{}.{}", self.place.joined, self.place.room)
    }
}

impl FromStr for DirectoryToken {
    type Err = RoomError;

    fn from_str(text: &str) -> Result<Self, RoomError> {
        let read = || {
            let (side, rest) = match text.strip_prefix('n') {
                Some(rest) => (Side::After, rest),
                None => (Side::Before, text.strip_prefix('p')?),
            };
            let (joined, room) = rest.split_once('.')?;
            let place = DirectoryPlace {
                joined: joined.parse().ok()?,
                room: RoomNumber(room.parse().ok()?),
            };
            Some(Self { place, side })
        };
        read().ok_or_else(|| RoomError::BadRequest("This `since` is not known.".to_owned()))
    }
}

/// A page of the directory, largest rooms first.
pub struct DirectoryPage {
    pub rooms: Vec<SummarisedRoom>,
    pub next: Option<DirectoryToken>,
    pub previous: Option<DirectoryToken>,
    /// How many rooms there are without any filter.
    pub total: u64,
}

impl Rooms {
    /// Up to `limit` rooms that pass the filter, of the directory, of that of a third-party network (by `instance_id`), or of
    /// all of them. Two queries for each 200 rooms that are looked at.
    pub async fn directory(
        &self,
        network: &RoomNetwork,
        filter: &Filter,
        from: DirectoryToken,
        limit: usize,
    ) -> Result<DirectoryPage, RoomError> {
        let database = self.database();
        let total = u64::try_from(directory::count_listed(database, network).await?).unwrap_or(0);
        let (mut from_here, mut found, mut looked_at) = (from.place, Vec::new(), 0_usize);
        let has_more = 'pages: loop {
            let places = directory::places(database, network, (from_here, from.side), count(STRIDE)).await?;
            let numbers: Vec<RoomNumber> = places.iter().map(|place| place.room).collect();
            let rooms = self.load(&numbers).await?;
            let summaries = self.summaries(&rooms).await?;
            for place in &places {
                if found.len() == limit || looked_at == LOOKED_AT_MAX {
                    break 'pages true;
                }
                from_here = *place;
                looked_at = looked_at.saturating_add(1);
                let summary = summaries.iter().find(|summary| summary.room.number == place.room);
                found.extend(
                    summary
                        .filter(|summary| passes(summary, filter))
                        .map(|summary| (*place, summary.clone())),
                );
            }
            if places.len() < STRIDE {
                break false;
            }
        };
        if from.side == Side::Before {
            found.reverse();
        }
        let edge = |place: Option<&(DirectoryPlace, SummarisedRoom)>, side| {
            place.map(|(place, _)| DirectoryToken { place: *place, side })
        };
        // The way on goes from where the search stopped, the way back from the page's other end.
        let (next, previous) = match from.side {
            Side::After => {
                let next = has_more.then_some(DirectoryToken {
                    place: from_here,
                    side: Side::After,
                });
                let is_first = from == DirectoryToken::START;
                (next, edge(found.first(), Side::Before).filter(|_| !is_first))
            }
            Side::Before => {
                let previous = has_more.then_some(DirectoryToken {
                    place: from_here,
                    side: Side::Before,
                });
                (edge(found.last(), Side::After), previous)
            }
        };
        Ok(DirectoryPage {
            rooms: found.into_iter().map(|(_, summary)| summary).collect(),
            next,
            previous,
            total,
        })
    }

    /// Whether a room is in the directory.
    pub async fn is_published(&self, room: &Room) -> Result<bool, RoomError> {
        Ok(directory::is_published(self.database(), room.number)
            .await?
            .unwrap_or(false))
    }

    /// Those of these rooms that are in the directory. One query.
    pub async fn published_among(&self, rooms: &[RoomNumber]) -> Result<HashSet<RoomNumber>, StorageError> {
        directory::published_among(self.database(), rooms).await
    }

    /// Puts a room into the directory or takes it out.
    ///
    /// It takes a member who may set the room's canonical alias, or an administrator of the server, and for putting it
    /// in that the operator allows it. Errors: `Forbidden`.
    pub async fn set_published(
        &self,
        accounts: &Accounts,
        room: &Arc<Room>,
        user: &UserId,
        is_published: bool,
    ) -> Result<(), RoomError> {
        if is_published {
            self.check_may_publish(accounts, user).await?;
        }
        if !accounts.is_admin(user).await? {
            self.check_joined(room, user).await?;
            let (levels, _) = self.power_levels(room, &room.view().state).await?;
            if !levels.can_send_state(user, "m.room.canonical_alias") {
                return Err(RoomError::Forbidden(
                    "You may not change this room's place in the directory.".to_owned(),
                ));
            }
        }
        let mut change = Change::new();
        directory::set_published(&mut change, room.number, is_published);
        Ok(self.database().writer().commit(change).await?)
    }
}

impl Rooms {
    /// Lists a room in the directory of a third-party network (by `instance_id`), or takes it out: what its application
    /// service wants (AS API § Published room directories).
    pub async fn set_listed(&self, network: &str, room: &Room, is_listed: bool) -> Result<(), StorageError> {
        let mut change = Change::new();
        directory::set_listed(&mut change, network, room.number, is_listed);
        self.database().writer().commit(change).await
    }
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Whether the search term occurs in the room's name, topic or alias, in any case of letters, and the type is wanted.
fn passes(room: &SummarisedRoom, filter: &Filter) -> bool {
    let summary = &room.summary;
    let room_type = summary.room_type.as_ref().map(RoomType::as_str);
    let is_type = filter.room_types.is_empty()
        || filter
            .room_types
            .iter()
            .any(|wanted| wanted.as_str() == room_type);
    let Some(term) = filter
        .generic_search_term
        .as_ref()
        .filter(|term| !term.is_empty())
    else {
        return is_type;
    };
    let term = term.to_lowercase();
    let alias = summary.canonical_alias.as_ref().map(|alias| alias.as_str());
    let texts = [summary.name.as_deref(), summary.topic.as_deref(), alias];
    is_type
        && texts
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(&term))
}
