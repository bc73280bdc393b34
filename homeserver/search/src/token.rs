//! Where a page of results ends.

use std::{fmt, str::FromStr};

use echorift_storage::{Position, RoomNumber, UserNumber};

/// By what results are put together (CS API § Server Side Search § Groups).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Group {
    Room(RoomNumber),
    Sender(UserNumber),
}

/// The next page of a search: results are ranked within a window of the log, whose results stay the same whatever is
/// sent meanwhile.
///
/// Its text is `{to}.{after}.{skipped}.{counted}`, with `.r{room}` or `.s{sender}` behind it for the rest of a group.
/// It opens nothing: what a reader may see is asked anew on each page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageToken {
    /// The window holds texts with `after < position <= to`.
    pub to: Position,
    pub after: Position,
    /// So many results of the window were given.
    pub skipped: usize,
    /// So many results stood in the windows before this one.
    pub counted: usize,
    pub group: Option<Group>,
}

impl PageToken {
    /// Where a search begins: at the newest event.
    pub const START: Self = Self {
        to: Position(i64::MAX),
        after: Position(i64::MIN),
        skipped: 0,
        counted: 0,
        group: None,
    };
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.to, self.after, self.skipped, self.counted)?;
        match self.group {
            None => Ok(()),
            Some(Group::Room(room)) => write!(f, ".r{room}"),
            Some(Group::Sender(sender)) => write!(f, ".s{sender}"),
        }
    }
}

/// A text that is no token of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

impl FromStr for PageToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(BadToken);
        let token = Self {
            to: Position(number(next()?)?),
            after: Position(number(next()?)?),
            skipped: number(next()?)?,
            counted: number(next()?)?,
            group: None,
        };
        let group = parts.next().map(parse_group).transpose()?;
        match parts.next() {
            Some(_) => Err(BadToken),
            None => Ok(Self { group, ..token }),
        }
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, BadToken> {
    text.parse().map_err(|_| BadToken)
}

fn parse_group(text: &str) -> Result<Group, BadToken> {
    if let Some(room) = text.strip_prefix('r') {
        return Ok(Group::Room(RoomNumber(number(room)?)));
    }
    let sender = text.strip_prefix('s').ok_or(BadToken)?;
    Ok(Group::Sender(UserNumber(number(sender)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_were_written_and_nothing_else_is() {
        let token = PageToken {
            to: Position(70),
            after: Position(-3),
            skipped: 10,
            counted: 1_000,
            group: Some(Group::Room(RoomNumber(4))),
        };
        let of_sender = PageToken {
            group: Some(Group::Sender(UserNumber(9))),
            ..token
        };
        for token in [token, of_sender, PageToken::START] {
            assert_eq!(token.to_string().parse(), Ok(token));
        }
        for text in [
            "",
            "1",
            "1.2.3",
            "1.2.3.4.",
            "1.2.3.4.x5",
            "1.2.3.4.r5.",
            "1.2.-3.4",
            "a.2.3.4",
            "1.2.3.4.r",
        ] {
            assert_eq!(text.parse::<PageToken>(), Err(BadToken), "{text}");
        }
    }
}
