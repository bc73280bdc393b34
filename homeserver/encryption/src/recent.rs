use std::collections::VecDeque;

use echorift_storage::{Position, RoomNumber, UserNumber};

/// How many changes are remembered, 2 MB at most: what a client misses that was away for longer is read from the
/// database.
const REMEMBERED: usize = 50_000;

/// A change that somebody's device lists follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// The user's devices or keys changed.
    DeviceList(UserNumber),
    /// The user signed somebody else's key.
    Signature(UserNumber),
    /// The user came into the room or went out of it.
    Member { room: RoomNumber, user: UserNumber },
}

/// The latest changes, oldest first.
pub(crate) struct Recent {
    /// Every change after this position is among `news`.
    complete_after: Position,
    news: VecDeque<(Position, News)>,
}

impl Recent {
    /// Knows nothing up to `position` and everything after.
    pub(crate) fn new(position: Position) -> Self {
        Self {
            complete_after: position,
            news: VecDeque::new(),
        }
    }

    pub(crate) fn extend(&mut self, news: impl IntoIterator<Item = (Position, News)>) {
        self.news.extend(news);
        while self.news.len() > REMEMBERED {
            if let Some((position, _)) = self.news.pop_front() {
                self.complete_after = position;
            }
        }
    }

    /// The wanted changes after `after`; `None` if some of them may be forgotten.
    pub(crate) fn since(&self, after: Position, wanted: impl Fn(&News) -> bool) -> Option<Vec<News>> {
        if after < self.complete_after {
            return None;
        }
        let start = self.news.partition_point(|(position, _)| *position <= after);
        let news = self.news.range(start..).map(|(_, news)| *news);
        Some(news.filter(|news| wanted(news)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_forgotten_is_not_taken_for_nothing() {
        let news = |number: i64| (Position(number), News::DeviceList(UserNumber(number)));
        let mut recent = Recent::new(Position(10));
        recent.extend([news(11), news(13)]);
        assert_eq!(recent.since(Position(9), |_| true), None);
        assert_eq!(
            recent.since(Position(10), |_| true).map(|news| news.len()),
            Some(2)
        );
        assert_eq!(
            recent.since(Position(11), |_| true),
            Some(vec![News::DeviceList(UserNumber(13))])
        );
        assert_eq!(recent.since(Position(11), |_| false), Some(Vec::new()));
        let many = i64::try_from(REMEMBERED).unwrap_or_default();
        recent.extend((0..many).map(|number| news(20 + number)));
        assert_eq!(recent.since(Position(12), |_| true), None);
        assert_eq!(
            recent.since(Position(13), |_| true).map(|news| news.len()),
            Some(REMEMBERED)
        );
    }
}
