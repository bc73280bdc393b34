//! The tables of media.

pub(crate) mod administration;
pub(crate) mod contents;
pub(crate) mod garbage;
pub(crate) mod media;
pub(crate) mod previews;
pub(crate) mod remote;
pub(crate) mod thumbnails;

use crate::ids::{BlobKey, ContentHash};

/// A content as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) hash: ContentHash,
    pub(crate) key: BlobKey,
    pub(crate) size: u64,
}

/// Sizes are never negative where we write them.
fn size_of(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}

fn stored_size(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
