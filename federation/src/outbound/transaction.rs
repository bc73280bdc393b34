//! What one `PUT /_matrix/federation/v1/send/{txnId}` carries (SS API § Transactions).

use std::{
    collections::VecDeque,
    fmt::Write as _,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use echorift_rooms::Event;
use echorift_storage::{EventNumber, Timestamp};
use parking_lot::Mutex;
use ruma::ServerName;

use super::edu::RawEdu;
use crate::client::CanonicalBody;

/// The most PDUs in a transaction (SS API § Transactions).
pub(super) const PDUS_MAX: usize = 50;
/// The most EDUs in a transaction (SS API § Transactions).
pub(super) const EDUS_MAX: usize = 100;
/// After so many bytes nothing more is put into a transaction, so that one of the largest events does not make a
/// request that a reverse proxy refuses.
const BODY_BYTES: usize = 1 << 20;
/// So many bodies are looked at for one that can be shared. Identical bodies are asked for within moments.
const SHARED: usize = 32;

/// A transaction, ready to be sent to any number of servers.
#[derive(Debug)]
pub(crate) struct TransactionBody {
    /// Canonical JSON, so that it can be signed as it stands.
    pub json: CanonicalBody,
    pub pdus: usize,
    pub edus: usize,
}

/// What goes into a transaction.
#[derive(Clone)]
pub(super) struct Content {
    pub events: Vec<Arc<Event>>,
    pub edus: Vec<RawEdu>,
}

impl Content {
    /// Leaves out the PDUs that would make it too large; the first stays.
    pub fn limit(&mut self) {
        let mut bytes: usize = self.edus.iter().map(|edu| edu.as_str().len()).sum();
        let mut fitting = 0;
        for event in &self.events {
            bytes = bytes.saturating_add(event.pdu.json().len());
            if fitting > 0 && bytes > BODY_BYTES {
                break;
            }
            fitting += 1;
        }
        self.events.truncate(fitting);
    }
}

/// Leaves so many EDUs as go into one transaction, at least one; the rest.
pub(super) fn split_fitting(edus: &mut Vec<RawEdu>) -> Vec<RawEdu> {
    let mut bytes = 0_usize;
    let fits = edus.iter().take(EDUS_MAX).take_while(|edu| {
        let is_first = bytes == 0;
        bytes = bytes.saturating_add(edu.as_str().len());
        is_first || bytes <= BODY_BYTES
    });
    let fitting = fits.count();
    edus.split_off(fitting)
}

/// Makes the bodies of transactions; those with the same content are made once.
pub(super) struct Bodies {
    origin: String,
    recent: Mutex<VecDeque<Recent>>,
}

struct Recent {
    events: Vec<EventNumber>,
    edus: Vec<RawEdu>,
    body: Weak<TransactionBody>,
}

impl Bodies {
    pub fn new(origin: &ServerName) -> Self {
        Self {
            // A server name has no character that JSON escapes.
            origin: origin.to_string(),
            recent: Mutex::default(),
        }
    }

    pub fn body(&self, content: Content, now: Timestamp) -> Arc<TransactionBody> {
        let events: Vec<EventNumber> = content.events.iter().map(|event| event.number).collect();
        let mut recent = self.recent.lock();
        recent.retain(|recent| recent.body.strong_count() > 0);
        let same = |recent: &&Recent| recent.events == events && recent.edus == content.edus;
        if let Some(body) = recent.iter().find(same).and_then(|recent| recent.body.upgrade()) {
            return body;
        }
        let body = Arc::new(TransactionBody {
            json: CanonicalBody::from_canonical(self.write(&content, now)),
            pdus: content.events.len(),
            edus: content.edus.len(),
        });
        if recent.len() >= SHARED {
            recent.pop_front();
        }
        recent.push_back(Recent {
            events,
            edus: content.edus,
            body: Arc::downgrade(&body),
        });
        body
    }

    /// The keys stand in the order of canonical JSON, PDUs and EDUs are canonical already.
    fn write(&self, content: &Content, now: Timestamp) -> String {
        let pdus = content.events.iter().map(|event| event.pdu.json());
        let edus = content.edus.iter().map(RawEdu::as_str);
        let bytes: usize = pdus.clone().chain(edus.clone()).map(|text| text.len() + 1).sum();
        let mut json = String::with_capacity(bytes + self.origin.len() + 80);
        json.push('{');
        if !content.edus.is_empty() {
            json.push_str("\"edus\":[");
            join(&mut json, edus);
            json.push_str("],");
        }
        let _ = write!(
            json,
            "\"origin\":\"{}\",\"origin_server_ts\":{},\"pdus\":[",
            self.origin, now.0
        );
        join(&mut json, pdus);
        json.push_str("]}");
        json
    }
}

fn join<'a>(json: &mut String, texts: impl Iterator<Item = &'a str>) {
    for (index, text) in texts.enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push_str(text);
    }
}

/// Gives out transaction IDs, each once in the life of the server, also across restarts.
pub(super) struct TransactionIds {
    prefix: String,
    count: AtomicU64,
}

impl TransactionIds {
    pub fn new(started: Timestamp) -> Self {
        Self {
            // The random part stands for a clock that was set back.
            prefix: format!("{:x}-{:08x}", started.0, rand::random::<u32>()),
            count: AtomicU64::new(0),
        }
    }

    pub fn next(&self) -> String {
        format!("{}-{}", self.prefix, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(edus: &[RawEdu]) -> Content {
        Content {
            events: Vec::new(),
            edus: edus.to_vec(),
        }
    }

    #[test]
    fn bodies_are_canonical_and_shared_by_those_with_the_same_content() {
        let bodies = Bodies::new(ruma::server_name!("one.example"));
        let edu = RawEdu::new("m.test", &serde_json::json!({ "b": 1, "a": 2 })).unwrap();
        let first = bodies.body(content(std::slice::from_ref(&edu)), Timestamp(5));
        let second = bodies.body(content(std::slice::from_ref(&edu)), Timestamp(6));
        assert!(Arc::ptr_eq(&first, &second));
        let other = bodies.body(content(&[edu.clone(), edu]), Timestamp(6));
        assert_eq!(other.edus, 2);
        let text = std::str::from_utf8(first.json.as_bytes()).unwrap();
        assert_eq!(
            text,
            r#"{"edus":[{"content":{"a":2,"b":1},"edu_type":"m.test"}],"origin":"one.example","origin_server_ts":5,"pdus":[]}"#
        );
        assert_eq!(echorift_events::canonical_json(text).unwrap(), text);
    }

    #[test]
    fn edus_are_split_by_number_and_by_size() {
        let edu = |bytes: usize| RawEdu::new("m.test", &"x".repeat(bytes)).unwrap();
        let mut small: Vec<RawEdu> = (0..130).map(|_| edu(1)).collect();
        assert_eq!((split_fitting(&mut small).len(), small.len()), (30, 100));
        let mut large: Vec<RawEdu> = [2 << 20, 1, 600_000, 600_000].into_iter().map(edu).collect();
        let mut rest = split_fitting(&mut large);
        assert_eq!((large.len(), rest.len()), (1, 3));
        assert_eq!((split_fitting(&mut rest).len(), rest.len()), (1, 2));
        assert!(split_fitting(&mut Vec::new()).is_empty());
    }

    #[test]
    fn transaction_ids_do_not_repeat_after_a_restart() {
        let (one, two) = (
            TransactionIds::new(Timestamp(1)),
            TransactionIds::new(Timestamp(1)),
        );
        let ids = [one.next(), one.next(), two.next(), two.next()];
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
