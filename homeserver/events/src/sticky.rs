//! Sticky events (MSC4354): message and state events that reach everybody who is in the room, for a while.

use std::fmt::Write as _;

use ruma::events::sticky::StickyDurationMs;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The duration in an event's `msc4354_sticky`; longer ones count as an hour, and what is none makes no event sticky.
pub(crate) fn read_sticky(raw: &RawValue) -> Option<StickyDurationMs> {
    #[derive(Deserialize)]
    struct Sticky {
        duration_ms: u64,
    }
    // A list would be read as the object's fields in their order.
    let object = Some(raw.get()).filter(|text| text.starts_with('{'))?;
    let sticky: Sticky = serde_json::from_str(object).ok()?;
    Some(StickyDurationMs::new_clamped(sticky.duration_ms))
}

/// Writes the field behind others of an object.
pub(crate) fn write_sticky(out: &mut String, duration_ms: StickyDurationMs) {
    // Writing to a string cannot fail.
    let _infallible = write!(
        out,
        ",\"msc4354_sticky\":{{\"duration_ms\":{}}}",
        duration_ms.get()
    );
}

#[cfg(test)]
mod tests;
