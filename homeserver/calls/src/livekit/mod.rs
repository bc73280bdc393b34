//! The SFUs: LiveKit servers that carry the media of calls.

mod sfu;

pub use self::sfu::{Permission, Sfu, SfuError, SfuOptions, Sfus, Source};
