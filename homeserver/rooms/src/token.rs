use std::{fmt, str::FromStr};

use echorift_storage::Position;

use crate::RoomError;

/// A place in a timeline for clients to continue from: right after the event at `Position`, whatever the direction.
///
/// Its text is `t{position}`. Those of `/sync`, `s{position}` with whatever follows the first dot, name the same place
/// and are read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimelineToken(pub Position);

impl TimelineToken {
    /// The place right before the event at `position`.
    pub fn before(position: Position) -> Self {
        Self(Position(position.0.saturating_sub(1)))
    }

    /// Another text for the same place.
    pub fn other_text(self) -> String {
        format!("s{}.again", self.0)
    }

    /// Reads a token that may be absent. Errors: `BadRequest`.
    pub fn parse_optional(text: Option<&str>) -> Result<Option<Self>, RoomError> {
        text.map(str::parse).transpose()
    }
}

impl fmt::Display for TimelineToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

impl FromStr for TimelineToken {
    type Err = RoomError;

    fn from_str(text: &str) -> Result<Self, RoomError> {
        let position = match text.strip_prefix('t') {
            Some(position) => Some(position),
            None => text
                .strip_prefix('s')
                .map(|rest| rest.split_once('.').map_or(rest, |(position, _)| position)),
        };
        let position = position.and_then(|position| position.parse().ok());
        position
            .map(|position| Self(Position(position)))
            .ok_or_else(|| RoomError::BadRequest("This is not a pagination token of this server.".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn tokens_of_pages_and_of_sync_name_places_and_nothing_else_does() {
        for (text, position) in [
            ("t12", 12),
            ("t-3", -3),
            ("s12", 12),
            ("s12.7", 12),
            ("s12.7.x", 12),
        ] {
            assert_eq!(
                text.parse::<TimelineToken>().unwrap(),
                TimelineToken(Position(position)),
                "{text}"
            );
        }
        for text in [
            "",
            "t",
            "s",
            "12",
            "x12",
            "t12.7",
            "t 12",
            "s.7",
            "t99999999999999999999",
        ] {
            assert!(text.parse::<TimelineToken>().is_err(), "{text}");
        }
        assert_eq!(TimelineToken(Position(-4)).to_string(), "t-4");
        let other = TimelineToken(Position(-4)).other_text();
        assert_ne!(other, "t-4");
        assert_eq!(
            other.parse::<TimelineToken>().unwrap(),
            TimelineToken(Position(-4))
        );
    }
}
