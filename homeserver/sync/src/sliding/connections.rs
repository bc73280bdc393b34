use std::sync::Arc;

use echorift_storage::{Change, Database, Sequence, StorageError, Timestamp, UserNumber};
use quick_cache::{Weighter, sync::Cache};
use ruma::OwnedDeviceId;

use super::{
    connection::{Pos, Sent},
    store::{self, Owner},
};

/// How many connections one device may have; the one used longest ago makes place. Clients have two or three.
const CONNECTIONS_MAX: usize = 16;
/// How many rooms of all connections are kept in memory, some 150 bytes each.
const CACHED_ROOMS: u64 = 2_000_000;
/// How many connections that is, at a guess.
const CACHED_CONNECTIONS: usize = 10_000;
/// How much one connection's state may take in the database. A room takes some 15 bytes, and what clients require of
/// their state a few hundred in all.
const STATE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// After so long without a request a connection expires.
const UNUSED_MS: i64 = 30 * DAY_MS;
/// How exactly it is known when a connection was last used.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What the clients of all connections were sent.
pub(crate) struct Connections {
    database: Database,
    generations: Sequence,
    kept: Cache<Key, Arc<Kept>, Weight>,
}

/// A connection: one of a user's device, named by the client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub user: UserNumber,
    pub device: OwnedDeviceId,
    pub conn_id: String,
}

impl Key {
    fn owner(&self) -> Owner<'_> {
        Owner {
            user: self.user,
            device: &self.device,
            conn_id: &self.conn_id,
        }
    }
}

/// The state with which the client came, and the one that it was given: it may come with either, for the answer may
/// have been lost.
struct Kept {
    states: Vec<(Pos, Arc<Sent>)>,
    used: Timestamp,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Kept>> for Weight {
    fn weight(&self, _: &Key, kept: &Arc<Kept>) -> u64 {
        // The two states share most of their rooms.
        let rooms = kept.states.iter().map(|(_, sent)| sent.rooms.len()).max();
        u64::try_from(rooms.unwrap_or(0)).unwrap_or(u64::MAX).max(10)
    }
}

/// What a client came with.
#[derive(Clone)]
pub(crate) struct Known {
    /// `None` for a new connection.
    pub pos: Option<Pos>,
    pub sent: Arc<Sent>,
    used: Timestamp,
}

/// A client's state was larger than is kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error("the connection's state is larger than {STATE_BYTES_MAX} bytes")]
    TooLarge,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Connections {
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
            generations: Sequence::new("sliding_generation", database),
            kept: Cache::with_weighter(CACHED_CONNECTIONS, CACHED_ROOMS, Weight),
        }
    }

    /// A connection that begins now.
    pub fn begin(now: Timestamp) -> Known {
        Known {
            pos: None,
            sent: Arc::default(),
            used: now,
        }
    }

    /// What the client had been sent when it was given `pos`; `None` if that is not known, or `pos` was given to
    /// another one.
    pub async fn find(&self, key: &Key, pos: Pos) -> Result<Option<Known>, StorageError> {
        if let Some(kept) = self.kept.get(key) {
            let exact = kept.states.iter().find(|(known, _)| *known == pos);
            if let Some((_, sent)) = exact {
                return Ok(Some(Known {
                    pos: Some(pos),
                    sent: Arc::clone(sent),
                    used: kept.used,
                }));
            }
            // The same state at another position: which members went with it is not known.
            let alike = kept
                .states
                .iter()
                .find(|(known, _)| known.generation == pos.generation);
            if let Some((_, sent)) = alike {
                return Ok(Some(Known {
                    pos: Some(pos),
                    sent: Arc::new(sent.without_members()),
                    used: kept.used,
                }));
            }
        }
        let Some((text, used)) = store::find(&self.database, key.owner(), pos.generation).await? else {
            return Ok(None);
        };
        let sent =
            Sent::from_json(&text).map_err(|error| StorageError::corrupt("sliding_states.state", error))?;
        Ok(Some(Known {
            pos: Some(pos),
            sent: Arc::new(sent),
            used,
        }))
    }

    /// Remembers what a client that came with `known` is being sent, and gives the `pos` for it. Durable, if anything
    /// changed that a restart must not lose; without such a change nothing is written.
    pub async fn remember(
        &self,
        key: &Key,
        known: &Known,
        (at, sent): (crate::SyncToken, Arc<Sent>),
        now: Timestamp,
    ) -> Result<Pos, ConnectionError> {
        let mut used = known.used;
        let generation = match known.pos {
            Some(pos) if !known.sent.differs(&sent) => {
                if now.0.saturating_sub(used.0) > DAY_MS {
                    let mut change = Change::new();
                    store::touch(&mut change, pos.generation, now);
                    self.database.writer().commit(change).await?;
                    used = now;
                }
                pos.generation
            }
            _ => {
                used = now;
                self.save(key, known, &sent, now).await?
            }
        };
        let pos = Pos { at, generation };
        let mut states = vec![(pos, sent)];
        if let Some(before) = known.pos.filter(|before| *before != pos) {
            states.push((before, Arc::clone(&known.sent)));
        }
        self.kept.insert(key.clone(), Arc::new(Kept { states, used }));
        Ok(pos)
    }

    async fn save(
        &self,
        key: &Key,
        known: &Known,
        sent: &Sent,
        now: Timestamp,
    ) -> Result<i64, ConnectionError> {
        if known.pos.is_none() {
            self.make_place(key).await?;
        }
        let state = sent
            .to_json()
            .map_err(|error| StorageError::corrupt("sliding_states.state", error))?;
        if state.len() > STATE_BYTES_MAX {
            return Err(ConnectionError::TooLarge);
        }
        let generation = self.generations.next().await?;
        let parent = known.pos.map_or(generation, |pos| pos.generation);
        let mut change = Change::new();
        store::put(&mut change, key.owner(), (generation, parent), &state, now);
        self.database.writer().commit(change).await?;
        Ok(generation)
    }

    /// Drops connections of the device that are too many with this one.
    async fn make_place(&self, key: &Key) -> Result<(), StorageError> {
        let mut others = store::connections(&self.database, key.user, &key.device).await?;
        others.retain(|conn_id| *conn_id != key.conn_id);
        if others.len() < CONNECTIONS_MAX {
            return Ok(());
        }
        let dropped = others.split_off(CONNECTIONS_MAX - 1);
        for conn_id in &dropped {
            self.kept.remove(&Key {
                conn_id: conn_id.clone(),
                ..key.clone()
            });
        }
        store::delete(&self.database, key.user, &key.device, &dropped).await
    }

    /// Forgets connections that were not used for long.
    pub async fn expire(&self, now: Timestamp) -> Result<(), StorageError> {
        store::delete_unused(&self.database, now.plus_ms(-UNUSED_MS)).await
    }
}
