//! How far a client has synced.

use std::{fmt, str::FromStr};

use echorift_storage::Position;

/// A `next_batch`: a position in the log, and a version of what is not in the log (typing, presence). As text
/// `s<position>.<version>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncToken {
    pub position: Position,
    pub ephemeral: u64,
}

impl fmt::Display for SyncToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}.{}", self.position, self.ephemeral)
    }
}

/// The text is no token of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadToken;

impl FromStr for SyncToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let (position, ephemeral) = text
            .strip_prefix('s')
            .and_then(|rest| rest.split_once('.'))
            .ok_or(BadToken)?;
        let position = position
            .parse()
            .ok()
            .filter(|position| *position >= 0)
            .ok_or(BadToken)?;
        Ok(Self {
            position: Position(position),
            ephemeral: ephemeral.parse().map_err(|_| BadToken)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_form() {
        let token = SyncToken {
            position: Position(17),
            ephemeral: 1_700_000_000_000,
        };
        assert_eq!(token.to_string().parse(), Ok(token));
        for bad in ["", "s", "s1", "t1.2", "s-1.2", "s1.x", "sx.1"] {
            assert_eq!(bad.parse::<SyncToken>(), Err(BadToken), "{bad}");
        }
    }
}
