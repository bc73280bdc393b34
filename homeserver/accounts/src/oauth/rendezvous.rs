use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use echorift_storage::Timestamp;

use crate::secret;

/// How long two devices have to find each other (MSC4388 § Maximum duration of a rendezvous: at most 300 seconds).
pub(crate) const LIFETIME_MS: i64 = 300_000;
/// What one of them may leave for the other (MSC4388 § Maximum payload size).
pub(crate) const DATA_BYTES_MAX: usize = 4096;
/// How many pairs may be at it at once: 40 MB.
const MEETINGS_MAX: usize = 10_000;

/// The places where a new device and an existing one leave messages for each other (MSC4388, and MSC4108 as it was
/// in 2024). In this process's memory alone: after a restart the person begins anew.
#[derive(Default)]
pub(crate) struct Rendezvous(Mutex<HashMap<String, Meeting>>);

/// One place as readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meeting {
    pub(crate) data: String,
    /// The media type that came with the data; MSC4388 has none.
    pub(crate) media_type: Option<String>,
    /// Another one after each write.
    pub(crate) sequence_token: String,
    pub(crate) written: Timestamp,
    pub(crate) expires: Timestamp,
}

/// Why nothing was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MeetingRefusal {
    NotFound,
    /// The other one has written meanwhile.
    ConcurrentWrite(Meeting),
    /// As many pairs as this server takes are at it.
    Full,
}

impl Rendezvous {
    /// Makes a place with a first message; its ID.
    pub(crate) fn open(
        &self,
        data: String,
        media_type: Option<String>,
        now: Timestamp,
    ) -> Result<(String, Meeting), MeetingRefusal> {
        let mut meetings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if meetings.len() >= MEETINGS_MAX {
            meetings.retain(|_, meeting| meeting.expires > now);
        }
        if meetings.len() >= MEETINGS_MAX {
            return Err(MeetingRefusal::Full);
        }
        let id = secret::random_name();
        let meeting = Meeting {
            data,
            media_type,
            sequence_token: secret::random_name(),
            written: now,
            expires: now.plus_ms(LIFETIME_MS),
        };
        meetings.insert(id.clone(), meeting.clone());
        Ok((id, meeting))
    }

    pub(crate) fn find(&self, id: &str, now: Timestamp) -> Option<Meeting> {
        let meetings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        meetings.get(id).filter(|meeting| meeting.expires > now).cloned()
    }

    /// Leaves another message for whoever has seen the last one, as `sequence_token` shows. With `is_repeatable` a
    /// write whose answer was lost may come again (MSC4388 § The send mechanism).
    pub(crate) fn write(
        &self,
        id: &str,
        sequence_token: &str,
        data: String,
        media_type: Option<String>,
        is_repeatable: bool,
        now: Timestamp,
    ) -> Result<Meeting, MeetingRefusal> {
        let mut meetings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let meeting = meetings.get_mut(id).filter(|meeting| meeting.expires > now);
        let meeting = meeting.ok_or(MeetingRefusal::NotFound)?;
        if meeting.sequence_token != sequence_token {
            return if is_repeatable && meeting.data == data {
                Ok(meeting.clone())
            } else {
                Err(MeetingRefusal::ConcurrentWrite(meeting.clone()))
            };
        }
        meeting.data = data;
        meeting.media_type = media_type;
        meeting.sequence_token = secret::random_name();
        meeting.written = now;
        Ok(meeting.clone())
    }

    /// Whether there was such a place.
    pub(crate) fn close(&self, id: &str, now: Timestamp) -> bool {
        let mut meetings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        meetings.remove(id).is_some_and(|meeting| meeting.expires > now)
    }

    pub(crate) fn forget_expired(&self, now: Timestamp) {
        let mut meetings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        meetings.retain(|_, meeting| meeting.expires > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    #[test]
    fn whoever_has_not_seen_the_last_message_overwrites_nothing() {
        let rendezvous = Rendezvous::default();
        let (id, first) = rendezvous.open("one".to_owned(), None, NOW).unwrap();
        let write = |token: &str, data: &str, is_repeatable| {
            rendezvous.write(&id, token, data.to_owned(), None, is_repeatable, NOW)
        };
        let second = write(&first.sequence_token, "two", true).unwrap();
        assert_ne!(first.sequence_token, second.sequence_token);
        let refusal = MeetingRefusal::ConcurrentWrite(second.clone());
        assert_eq!(write(&first.sequence_token, "three", true), Err(refusal.clone()));
        // A write that is repeated is the same write.
        assert_eq!(write(&first.sequence_token, "two", true), Ok(second.clone()));
        assert_eq!(write(&first.sequence_token, "two", false), Err(refusal));
        let again = write(&second.sequence_token, "two", true).unwrap();
        assert_ne!(again.sequence_token, second.sequence_token);
        assert_eq!(rendezvous.find(&id, NOW).unwrap(), again);
    }

    #[test]
    fn a_meeting_ends() {
        let rendezvous = Rendezvous::default();
        let (id, meeting) = rendezvous.open("one".to_owned(), None, NOW).unwrap();
        let late = NOW.plus_ms(LIFETIME_MS);
        assert!(rendezvous.find(&id, late).is_none());
        let write = rendezvous.write(&id, &meeting.sequence_token, String::new(), None, true, late);
        assert_eq!(write, Err(MeetingRefusal::NotFound));
        assert!(rendezvous.close(&id, NOW));
        assert!(!rendezvous.close(&id, NOW));
    }

    #[test]
    fn meetings_are_bounded() {
        let rendezvous = Rendezvous::default();
        for _ in 0..MEETINGS_MAX {
            assert!(rendezvous.open(String::new(), None, NOW).is_ok());
        }
        assert_eq!(
            rendezvous.open(String::new(), None, NOW),
            Err(MeetingRefusal::Full)
        );
        assert!(
            rendezvous
                .open(String::new(), None, NOW.plus_ms(LIFETIME_MS))
                .is_ok()
        );
    }
}
