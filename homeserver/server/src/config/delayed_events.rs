use std::time::Duration;

use super::table::Table;

/// `[calls]`, as far as it is about events that are sent later.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DelayedEventSettings {
    pub(crate) delay_max: Duration,
    pub(crate) per_user_max: u32,
    pub(crate) unauthenticated: bool,
}

impl DelayedEventSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        Self {
            delay_max: table.duration("max_delay", "24h"),
            per_user_max: table.whole("max_delayed_events_per_user", 100, 0..=100_000),
            unauthenticated: table.flag("delayed_events_unauthenticated", true),
        }
    }

    pub(crate) fn options(&self) -> echorift_calls::DelayedEventOptions {
        echorift_calls::DelayedEventOptions {
            delay_max: self.delay_max,
            per_user_max: self.per_user_max,
            unauthenticated: self.unauthenticated,
        }
    }
}
