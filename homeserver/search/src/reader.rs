//! The reader of the log that keeps what can be found up to date.
//!
//! It stores how far it has come together with what it wrote, so that it goes on where it was after any end, and reads
//! the whole history at its first start. Nobody who sends waits for it.

use std::{collections::BTreeSet, time::Duration};

use echorift_rooms::{RoomError, Rooms};
use echorift_storage::{Database, Position, RoomNumber, StorageError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use tokio::sync::watch;

use crate::{
    directory,
    document::{Document, document_of},
    store::{self, log::LoggedEvent},
};

/// So many events are read and written together: some milliseconds of work for the writer.
const BATCH: usize = 300;
/// How long more is waited for once something is there, so that a busy server's commits are shared by many messages.
const GATHERING: Duration = Duration::from_millis(50);
/// How often changes that are not in the log are looked for; a search in the directory looks for itself.
const INTERVAL: Duration = Duration::from_secs(30);
/// How long to wait after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How many rooms' states are read at the same time.
const ROOMS_AT_ONCE: usize = 8;

/// Reads on until `stopping` turns true.
pub(crate) async fn run(rooms: Rooms, mut stopping: watch::Receiver<bool>) {
    let stopped = async move {
        // An error is the end of whoever could have said so.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    tokio::select! {
        () = stopped => {}
        () = read(rooms) => {}
    }
}

async fn read(rooms: Rooms) {
    let mut visible = rooms.database().log().watch();
    let mut reader = None;
    loop {
        visible.mark_unchanged();
        match read_on(&rooms, &mut reader).await {
            Ok(()) => {
                let _ = tokio::time::timeout(INTERVAL, visible.changed()).await;
                tokio::time::sleep(GATHERING).await;
            }
            Err(error) => {
                tracing::error!(%error, "the search could not read the log and tries again");
                reader = None;
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Reads all that is there.
async fn read_on(rooms: &Rooms, reader: &mut Option<Position>) -> Result<(), RoomError> {
    let database = rooms.database();
    let mut cursor = match *reader {
        Some(cursor) => cursor,
        None => store::log::cursor(database).await?,
    };
    let mut has_more = true;
    while has_more {
        let visible = database.log().visible();
        let step = read_batch(rooms, cursor, visible).await?;
        has_more = step.has_more;
        // Behind the last event that concerns the search nothing is left to read.
        let lag = visible.0.saturating_sub(step.cursor.0.max(0));
        let lag = if has_more {
            u32::try_from(lag).unwrap_or(u32::MAX)
        } else {
            0
        };
        metrics::gauge!("echorift_search_lag_positions").set(lag);
        cursor = step.cursor;
        *reader = Some(cursor);
    }
    while directory::refresh(database).await? {}
    Ok(())
}

struct Step {
    cursor: Position,
    has_more: bool,
}

async fn read_batch(rooms: &Rooms, cursor: Position, visible: Position) -> Result<Step, RoomError> {
    let database = rooms.database();
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let events = store::log::read_on(database, cursor, visible, limit).await?;
    let has_more = events.len() == BATCH;
    let Some(last) = events.last().map(|event| event.position) else {
        // What lies between does not concern the search: it is skipped again after a restart.
        return Ok(Step {
            cursor,
            has_more: false,
        });
    };
    let texts = Texts::read(database, &events).await?;
    let members: Vec<String> = members_of(&events);
    let open = open_rooms(rooms, &events).await?;
    let advanced = database
        .writer()
        .transact(move |tx| {
            Box::pin(async move {
                if !store::log::advance(tx, cursor, last).await? {
                    return Ok::<_, StorageError>(false);
                }
                store::texts::put(tx, &texts.found, &texts.gone).await?;
                if !members.is_empty() {
                    store::people::note(tx, &members).await?;
                }
                if !open.is_empty() {
                    store::people::note_rooms(tx, &open).await?;
                }
                Ok(true)
            })
        })
        .await?;
    let cursor = match advanced {
        true => last,
        false => store::log::cursor(database).await?,
    };
    Ok(Step { cursor, has_more })
}

/// What the events change in the texts that can be found.
struct Texts {
    found: Vec<Document>,
    gone: Vec<Position>,
}

impl Texts {
    /// The texts of the events, and of those that they edit or redact, as they are now.
    async fn read(database: &Database, events: &[LoggedEvent]) -> Result<Self, StorageError> {
        let redacted: Vec<String> = events.iter().filter_map(redacted_by).collect();
        let redacted: Vec<&str> = redacted.iter().map(String::as_str).collect();
        let mut concerned: BTreeSet<String> = redacted.iter().map(|id| (*id).to_owned()).collect();
        if !redacted.is_empty() {
            // After the redaction of an edit the text is the one before.
            concerned.extend(store::log::with_text_from(database, &redacted).await?);
        }
        concerned.extend(events.iter().filter_map(|event| event.edits.clone()));
        let own = events
            .iter()
            .filter(|event| event.edits.is_none() && !concerned.contains(&event.event_id));
        let mut originals: Vec<LoggedEvent> = own.cloned().collect();
        if !concerned.is_empty() {
            let ids: Vec<&str> = concerned.iter().map(String::as_str).collect();
            originals.extend(store::log::by_ids(database, &ids).await?);
        }
        originals.retain(|event| document_of(event, None).is_some() || concerned.contains(&event.event_id));
        let ids: Vec<&str> = originals.iter().map(|event| event.event_id.as_str()).collect();
        let edits = match ids.is_empty() {
            true => Vec::new(),
            false => store::log::latest_edits(database, &ids).await?,
        };
        let mut texts = Self {
            found: Vec::with_capacity(originals.len()),
            gone: Vec::new(),
        };
        for original in &originals {
            let edit = edits
                .iter()
                .find(|edit| edit.edits.as_deref() == Some(original.event_id.as_str()));
            match document_of(original, edit) {
                Some(document) => texts.found.push(document),
                None => texts.gone.push(original.position),
            }
        }
        Ok(texts)
    }
}

/// What a redaction redacts: in its content, or beside it in rooms before version 11.
fn redacted_by(event: &LoggedEvent) -> Option<String> {
    #[derive(Deserialize)]
    struct Redaction {
        redacts: Option<String>,
        content: Content,
    }
    #[derive(Deserialize)]
    struct Content {
        redacts: Option<String>,
    }
    if event.event_type != "m.room.redaction" {
        return None;
    }
    let redaction: Redaction = serde_json::from_str(&event.json).ok()?;
    redaction.content.redacts.or(redaction.redacts)
}

/// Whose membership, or name in a room, changed.
fn members_of(events: &[LoggedEvent]) -> Vec<String> {
    let members = events.iter().filter(|event| event.event_type == "m.room.member");
    let members: BTreeSet<String> = members.filter_map(|event| event.state_key.clone()).collect();
    members.into_iter().collect()
}

/// Those of the rooms whose openness may have changed, and whether they are open to everyone now (CS API § User
/// directory).
async fn open_rooms(rooms: &Rooms, events: &[LoggedEvent]) -> Result<Vec<(RoomNumber, bool)>, RoomError> {
    let decides = |event: &&LoggedEvent| {
        matches!(
            event.event_type.as_str(),
            "m.room.join_rules" | "m.room.history_visibility"
        ) && event.state_key.as_deref() == Some("")
    };
    let concerned: BTreeSet<RoomNumber> = events.iter().filter(decides).map(|event| event.room).collect();
    let concerned: Vec<RoomNumber> = concerned.into_iter().collect();
    let loaded = rooms.load(&concerned).await?;
    let judge = |room: std::sync::Arc<echorift_rooms::Room>| async move {
        let state = &room.view().state;
        let is_open =
            rooms.join_rules(state).await?.join_rule == "public" || rooms.is_world_readable(state).await?;
        Ok::<_, RoomError>((room.number, is_open))
    };
    stream::iter(loaded)
        .map(judge)
        .buffer_unordered(ROOMS_AT_ONCE)
        .try_collect()
        .await
}
