//! Search in messages, and in the user directory.
//!
//! - [`text`] says when two texts are the same word, and what the index is made of; [`query`] asks for it in the
//!   languages of both databases.
//! - [`reader`] follows the log and keeps the index up to date: [`document`] makes texts of events, [`person`] rows of
//!   people.
//! - [`find`] finds events that the reader may see, by pages ([`token`]), in their rooms ([`scope`]), by [`rank`];
//!   [`surroundings`] shows what is around them. [`directory`] finds people.
//! - [`router`] serves the endpoints (`http`).

mod directory;
mod document;
mod find;
mod http;
mod person;
mod query;
mod rank;
mod reader;
mod scope;
mod store;
mod surroundings;
mod text;
mod token;

use echorift_rooms::Rooms;
use echorift_storage::StorageError;
use tokio::sync::watch;

pub use self::{
    directory::Visible,
    http::{SearchApi, router},
};

/// Starts the reader of the log, which reads what it has not seen yet and then follows, until `stopping` turns true.
pub fn start(rooms: &Rooms, stopping: watch::Receiver<bool>) {
    tokio::spawn(reader::run(rooms.clone(), stopping));
}

/// How many events the index does not hold yet, counted up to `limit`. Two queries.
pub async fn backlog(rooms: &Rooms, limit: i64) -> Result<i64, StorageError> {
    let cursor = store::log::cursor(rooms.database()).await?;
    store::log::count_after(rooms.database(), cursor, limit).await
}
