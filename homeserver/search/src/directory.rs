//! Finding people (CS API § User Directory).

use std::collections::{HashMap, HashSet};

use echorift_rooms::{Reader, RoomError, Rooms};
use echorift_storage::{Database, StorageError, UserNumber};
use ruma::{UserId, events::room::member::MembershipState};

use crate::{
    document::room_token,
    person::{ACCOUNT_TOKEN, Fit, OPEN_TOKEN, Person, Wanted, row_of},
    query::Query,
    store,
};

/// So many people are brought up to date together.
const BATCH: i64 = 100;
/// A search brings so many batches up to date before it looks; what is beyond waits for the reader of the log.
const BATCHES_PER_SEARCH: usize = 5;
/// At least so many are looked at for each way in which people can fit.
const CANDIDATES: usize = 200;
/// The most people in an answer.
pub(crate) const RESULTS_MAX: usize = 500;
/// Of so many of their rooms somebody sees the members.
const ROOMS_MAX: usize = 1_000;

/// Whom people can find (`user_directory.visible`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Visible {
    /// Those with whom they share a room, and those in rooms that are open to everyone.
    #[default]
    SharedRooms,
    /// Everyone with an account here as well.
    Everyone,
}

/// The answer to a search for people.
#[derive(Debug)]
pub(crate) struct FoundPeople {
    /// The best first.
    pub people: Vec<Person>,
    /// Whether there are more.
    pub is_limited: bool,
}

/// Brings people up to date; whether there may be more to do.
pub(crate) async fn refresh(database: &Database) -> Result<bool, StorageError> {
    if !store::people::has_changes(database).await? {
        return Ok(false);
    }
    database
        .writer()
        .transact(|tx| {
            Box::pin(async move {
                store::log::lock(tx).await?;
                let changed = store::people::take_changes(tx, BATCH).await?;
                let (mut found, mut gone) = (Vec::new(), Vec::new());
                for changed in changed {
                    let user = changed.user;
                    match row_of(changed) {
                        Some(row) => found.push(row),
                        None => gone.push(user),
                    }
                }
                store::people::put(tx, &found, &gone).await?;
                Ok(true)
            })
        })
        .await
}

/// Finds people whom the reader may find, best first: by how well they fit, and those first with whom the reader
/// shares a room.
pub(crate) async fn search(
    rooms: &Rooms,
    reader: &Reader,
    visible: Visible,
    typed: &str,
    limit: usize,
) -> Result<FoundPeople, RoomError> {
    let database = rooms.database();
    let limit = limit.min(RESULTS_MAX);
    let Some(wanted) = Wanted::new(typed) else {
        return Ok(FoundPeople {
            people: Vec::new(),
            is_limited: false,
        });
    };
    for _ in 0..BATCHES_PER_SEARCH {
        if !refresh(database).await? {
            break;
        }
    }
    let circles = circles_of(rooms, reader, visible).await?;
    let candidates = CANDIDATES.max(limit + 1);
    let candidates_max = i64::try_from(candidates).unwrap_or(i64::MAX);
    let mut found: HashMap<UserNumber, (Fit, usize, Person)> = HashMap::new();
    for query in wanted.queries() {
        for (circle, members) in circles.iter().enumerate() {
            let query = Query::All(vec![query.clone(), members.clone()]);
            for person in store::people::find(database, &query, candidates_max).await? {
                let fit = wanted.fit(&person);
                let is_ignored =
                    UserId::parse(person.user_id.as_str()).is_ok_and(|user| reader.ignored.contains(&user));
                if let Some(fit) = fit.filter(|_| !is_ignored) {
                    found.entry(person.user).or_insert((fit, circle, person));
                }
            }
        }
        // What the next way of fitting finds comes after all of these.
        if found.len() > limit {
            break;
        }
    }
    let mut found: Vec<(Fit, usize, Person)> = found.into_values().collect();
    found.sort_by(|(fit, circle, person), (other_fit, other_circle, other)| {
        let name = |person: &Person| person.display_name.as_deref().map(str::to_lowercase);
        (fit, circle, name(person).is_none(), name(person), &person.user_id).cmp(&(
            other_fit,
            other_circle,
            name(other).is_none(),
            name(other),
            &other.user_id,
        ))
    });
    let is_limited = found.len() > limit;
    found.truncate(limit);
    Ok(FoundPeople {
        people: found.into_iter().map(|(_, _, person)| person).collect(),
        is_limited,
    })
}

/// Whom the reader may find: first those with whom they share a room, then the others.
async fn circles_of(rooms: &Rooms, reader: &Reader, visible: Visible) -> Result<Vec<Query>, RoomError> {
    let mine = rooms.rooms_of(reader.user).await?;
    let joined = mine
        .iter()
        .filter(|(_, mine)| mine.membership == MembershipState::Join);
    let tokens: HashSet<String> = joined
        .map(|(room, _)| room_token(*room))
        .take(ROOMS_MAX)
        .collect();
    let others = match visible {
        Visible::SharedRooms => vec![OPEN_TOKEN.to_owned()],
        Visible::Everyone => vec![OPEN_TOKEN.to_owned(), ACCOUNT_TOKEN.to_owned()],
    };
    let circles = [Query::any_token(tokens), Query::any_token(others)];
    Ok(circles.into_iter().flatten().collect())
}
