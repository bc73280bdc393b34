//! EDUs on their way out, and where those that must arrive come from.

use std::{future::Future, pin::Pin, sync::Arc};

use echorift_events::{EventError, canonical_json};
use echorift_storage::{Position, StorageError};
use ruma::{OwnedServerName, ServerName};
use serde::Serialize;

/// An EDU as canonical JSON. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEdu(Arc<str>);

impl RawEdu {
    /// Errors: `EventError` if the content has no canonical form (a fraction, say).
    pub fn new(edu_type: &str, content: &impl Serialize) -> Result<Self, EventError> {
        #[derive(Serialize)]
        struct Edu<'a, C> {
            edu_type: &'a str,
            content: &'a C,
        }
        let text = serde_json::to_string(&Edu { edu_type, content });
        // What cannot be written is not JSON, and the parser says so.
        canonical_json(&text.unwrap_or_default()).map(|text| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a method of [`DurableEdus`] returns.
pub type DurableFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

/// EDUs that must arrive, however long their destination is away: messages to devices, changes of device lists and of
/// signing keys. Whoever keeps them gives each a position of the log; [`echorift_storage::Record::ToDevice`] of a
/// remote user and [`echorift_storage::Record::DeviceList`] of a local one say that there are new ones.
pub trait DurableEdus: Send + Sync {
    /// Which servers have EDUs with `after < position <= up_to` waiting. Asked for after a start, and when the log
    /// went faster than it could be followed.
    fn waiting(&self, after: Position, up_to: Position) -> DurableFuture<'_, Vec<OwnedServerName>>;

    /// The next EDUs for `destination` after a position, in order of position. At most `limit`, unless those of the
    /// first position alone are more: the EDUs of one position are never torn apart. Fewer than `limit` mean that there
    /// are no more.
    fn next<'a>(
        &'a self,
        destination: &'a ServerName,
        after: Position,
        limit: usize,
    ) -> DurableFuture<'a, Vec<(Position, RawEdu)>>;

    /// The destination has everything up to here.
    fn delivered<'a>(&'a self, destination: &'a ServerName, up_to: Position) -> DurableFuture<'a, ()>;
}
