use echorift_tests::{User, assert_agreement_within, within};
use std::collections::BTreeSet;
use std::time::Duration;

use crate::membership::shared_room;

const MESSAGES: usize = 1_000;
/// People who write at the same time on each side.
const WRITERS: usize = 4;

/// Sends its share, one after the other; the event ids.
async fn write(writer: User, room: String) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..MESSAGES / WRITERS {
        let body = format!("{} says {number}", writer.localpart);
        ids.push(writer.send_text(&room, &body).await.unwrap());
    }
    ids
}

#[tokio::test]
async fn a_thousand_messages_each_way_arrive_once() {
    // A pair of its own: whoever else wrote to that Synapse would wait behind all this.
    let pair = crate::start().await;
    let (near, far) = (&pair.ours, &pair.theirs);
    let near_writers: [User; WRITERS] = near.register(["a", "b", "c", "d"]).await;
    let far_writers: [User; WRITERS] = far.register(["e", "f", "g", "h"]).await;
    let (alice, bob) = (&near_writers[0], &far_writers[0]);
    let room = shared_room(alice, bob).await;
    for writer in near_writers.iter().chain(&far_writers) {
        writer.join_via(&room, near).await.unwrap();
    }
    for writer in &far_writers {
        alice.sees_membership(&room, writer, "join").await;
    }
    let writing: Vec<_> = near_writers
        .iter()
        .chain(&far_writers)
        .map(|writer| tokio::spawn(write(writer.clone(), room.clone())))
        .collect();
    let mut sent = BTreeSet::new();
    for writer in writing {
        sent.extend(writer.await.unwrap());
    }
    assert_eq!(sent.len(), 2 * MESSAGES);
    // Both sides work through what they were sent; on a slow machine that takes its time.
    let patience = Duration::from_secs(120);
    for reader in [alice, bob] {
        within(patience, "all messages are there", async || {
            let seen = reader.timeline_ids(&room).await.ok()?;
            sent.is_subset(&seen).then_some(())
        })
        .await;
        let events = reader.whole_history(&room).await.unwrap();
        let messages = events.iter().filter(|event| event["type"] == "m.room.message");
        assert_eq!(messages.count(), 2 * MESSAGES, "for {}", reader.id);
    }
    assert_agreement_within(patience, &room, &[alice, bob]).await;
}
