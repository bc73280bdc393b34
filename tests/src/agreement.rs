use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::{Look as _, PATIENCE, Refusal, TestServer, User, v3};

/// A room's state: (type, state key) → event id.
pub type State = BTreeMap<(String, String), String>;

/// Asks again and again until there is an answer, and gives it.
#[track_caller]
pub fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    within(PATIENCE, what, ask)
}

/// Like [`until`], with a patience of its own.
pub async fn within<T>(patience: Duration, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    match tokio::time::timeout(patience, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited {patience:?} in vain for this: {what}"),
    }
}

impl User {
    /// Joins a room by its id, with the help of a server that is in it.
    pub async fn join_via(&self, room: &str, server: &TestServer) -> crate::Answer {
        self.post(via(&v3(["join", room]), server), serde_json::json!({}))
            .await
    }

    pub async fn knock_via(&self, room: &str, server: &TestServer) -> crate::Answer {
        self.post(via(&v3(["knock", room]), server), serde_json::json!({}))
            .await
    }

    pub async fn whole_state(&self, room: &str) -> Result<State, Refusal> {
        let answer = self.get(v3(["rooms", room, "state"])).await?;
        let events = answer.as_array().into_iter().flatten();
        let pairs = events.map(|event| {
            let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            ((text("type"), text("state_key")), text("event_id"))
        });
        Ok(pairs.collect())
    }

    /// All events of the room that this user may read, newest first, fetched from other servers where need be.
    pub async fn whole_history(&self, room: &str) -> Result<Vec<Value>, Refusal> {
        let mut events = Vec::new();
        let mut from = String::new();
        loop {
            let page = self.messages(room, &format!("dir=b&limit=200{from}")).await?;
            events.extend(page.events("/chunk"));
            match page["end"].as_str() {
                Some(end) => from = format!("&from={}", crate::json::percent_encode(end)),
                None => return Ok(events),
            }
        }
    }

    /// The ids of [`User::whole_history`].
    pub async fn timeline_ids(&self, room: &str) -> Result<BTreeSet<String>, Refusal> {
        let events = self.whole_history(room).await?;
        let ids = events.iter().map(|event| event.text("/event_id").to_owned());
        Ok(ids.collect())
    }

    /// Waits until this user can read the event in the room's newest messages.
    pub async fn sees(&self, room: &str, event_id: &str) {
        until(&format!("{} sees {event_id}", self.id), async || {
            let page = self.messages(room, "dir=b&limit=50").await.ok()?;
            page.ids("/chunk").iter().any(|id| id == event_id).then_some(())
        })
        .await;
    }

    /// Waits until the state event, as this user sees it, has this text at the pointer.
    pub async fn sees_state(&self, room: &str, kind: &str, state_key: &str, pointer: &str, wanted: &str) {
        until(
            &format!("{} sees {kind} of {state_key:?} with {wanted:?}", self.id),
            async || {
                let content = self.state(room, kind, state_key).await.ok()?;
                (content.pointer(pointer)?.as_str()? == wanted).then_some(())
            },
        )
        .await;
    }

    /// Waits until this user sees that another has this membership.
    pub async fn sees_membership(&self, room: &str, of: &User, membership: &str) {
        self.sees_state(room, "m.room.member", &of.id, "/membership", membership)
            .await;
    }

    /// Waits until the user's `/sync` shows an invitation to the room.
    pub async fn is_invited(&self, room: &str) {
        until(&format!("{} is invited to {room}", self.id), async || {
            let answer = self.sync_all().await;
            answer["rooms"]["invite"][room].is_object().then_some(())
        })
        .await;
    }
}

fn via(path: &str, server: &TestServer) -> String {
    let name = crate::json::percent_encode(server.name());
    format!("{path}?via={name}&server_name={name}")
}

/// Waits until these users, each on a server of their own, see the same state of the room and the same events in it.
///
/// They must have been allowed to read all of it.
pub async fn assert_agreement(room: &str, users: &[&User]) {
    assert_agreement_within(PATIENCE, room, users).await;
}

pub async fn assert_agreement_within(patience: Duration, room: &str, users: &[&User]) {
    let mut difference = String::new();
    let agreeing = async {
        loop {
            match differences(room, users).await {
                None => return,
                Some(found) => difference = found,
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let agreed = tokio::time::timeout(patience, agreeing).await;
    assert!(
        agreed.is_ok(),
        "the servers do not agree on {room}:\n{difference}"
    );
}

async fn differences(room: &str, users: &[&User]) -> Option<String> {
    let (first, others) = users.split_first().expect("somebody");
    let (state, timeline) = match view(room, first).await {
        Ok(view) => view,
        Err(refusal) => return Some(format!("{}: {refusal}", first.id)),
    };
    for other in others {
        let (other_state, other_timeline) = match view(room, other).await {
            Ok(view) => view,
            Err(refusal) => return Some(format!("{}: {refusal}", other.id)),
        };
        let only = |left: &State, right: &State| -> Vec<String> {
            let lacking = left.iter().filter(|(key, id)| right.get(*key) != Some(id));
            lacking.map(|(key, id)| format!("{key:?} {id}")).collect()
        };
        if state != other_state || timeline != other_timeline {
            return Some(format!(
                "state only for {}: {:#?}\nstate only for {}: {:#?}\nevents only for {}: {:?}\nevents only for {}: {:?}",
                first.id,
                only(&state, &other_state),
                other.id,
                only(&other_state, &state),
                first.id,
                timeline.difference(&other_timeline).collect::<Vec<_>>(),
                other.id,
                other_timeline.difference(&timeline).collect::<Vec<_>>(),
            ));
        }
    }
    None
}

async fn view(room: &str, user: &User) -> Result<(State, BTreeSet<String>), Refusal> {
    Ok((user.whole_state(room).await?, user.timeline_ids(room).await?))
}
