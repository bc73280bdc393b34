//! EDUs on their way out, and where those that must arrive come from.

use std::{future::Future, pin::Pin, sync::Arc};

use echorift_storage::{Position, StorageError};
use ruma::{OwnedServerName, ServerName};
use serde::Serialize;

/// An EDU as canonical JSON. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEdu(Arc<str>);

impl RawEdu {
    /// Fractions, which canonical JSON does not know but messages to devices may hold, stay as they are.
    ///
    /// Errors: for what is no JSON object.
    pub fn new(edu_type: &str, content: &impl Serialize) -> Result<Self, serde_json::Error> {
        #[derive(Serialize)]
        struct Edu<'a, C> {
            edu_type: &'a str,
            content: &'a C,
        }
        // The objects of `Value` are sorted by key, and so written.
        let edu = serde_json::to_value(Edu { edu_type, content })?;
        Ok(Self(edu.to_string().into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// EDUs that must arrive.
#[derive(Debug, Clone, Default)]
pub struct DurablePage {
    pub edus: Vec<RawEdu>,
    /// All up to this position are among them: what was asked for, or less if there are more than the limit.
    pub covers: Position,
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

    /// The first EDUs for `destination` with `after < position <= up_to`, in order of position: about `limit` of them,
    /// never a part of those of one position.
    fn next<'a>(
        &'a self,
        destination: &'a ServerName,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> DurableFuture<'a, DurablePage>;

    /// The destination has everything up to here.
    fn delivered<'a>(&'a self, destination: &'a ServerName, up_to: Position) -> DurableFuture<'a, ()>;
}
