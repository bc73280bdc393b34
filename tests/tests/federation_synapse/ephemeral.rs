use echorift_tests::{TestServer, User, until, v3};
use serde_json::{Value, json};

use crate::membership::shared_room;

crate::both_ways!(
    typing_is_seen_on_the_other_side,
    receipts_are_seen_on_the_other_side,
    private_receipts_stay_at_home,
    presence_is_seen_on_the_other_side,
);

fn ephemeral(answer: &Value, room: &str, kind: &str) -> Option<Value> {
    let events = answer["rooms"]["join"][room]["ephemeral"]["events"].as_array()?;
    let event = events.iter().find(|event| event["type"] == kind)?;
    Some(event["content"].clone())
}

async fn typing_is_seen_on_the_other_side(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    for (writer, reader) in [(&alice, &bob), (&bob, &alice)] {
        let since = reader.now().await;
        writer.type_for(&room, 30_000).await.unwrap();
        let is_typing = |answer: &Value, wanted: bool| {
            ephemeral(answer, &room, "m.typing").is_some_and(|content| {
                let users = content["user_ids"].as_array().unwrap();
                users.contains(&json!(writer.id)) == wanted
            })
        };
        let answer = reader.sync_until(&since, |answer| is_typing(answer, true)).await;
        let since = answer["next_batch"].as_str().unwrap();
        let body = json!({ "typing": false });
        writer
            .put(v3(["rooms", &room, "typing", &writer.id]), body)
            .await
            .unwrap();
        reader.sync_until(since, |answer| is_typing(answer, false)).await;
    }
}

/// Whether the answer has the receipt of that user on that event.
fn has_receipt(answer: &Value, room: &str, kind: &str, event: &str, user: &User) -> bool {
    ephemeral(answer, room, "m.receipt").is_some_and(|content| content[event][kind][&user.id].is_object())
}

async fn receipts_are_seen_on_the_other_side(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    for (writer, reader) in [(&alice, &bob), (&bob, &alice)] {
        let event = writer.send_text(&room, "read this").await.unwrap();
        reader.sees(&room, &event).await;
        let since = writer.now().await;
        reader.send_receipt(&room, "m.read", &event).await.unwrap();
        writer
            .sync_until(&since, |answer| {
                has_receipt(answer, &room, "m.read", &event, reader)
            })
            .await;
    }
}

async fn private_receipts_stay_at_home(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    let first = alice.send_text(&room, "one").await.unwrap();
    let second = alice.send_text(&room, "two").await.unwrap();
    bob.sees(&room, &second).await;
    let since = alice.now().await;
    bob.send_receipt(&room, "m.read.private", &first).await.unwrap();
    bob.send_receipt(&room, "m.read", &second).await.unwrap();
    // Had the first been sent, it would have come with or before the second.
    let answer = alice
        .sync_until(&since, |answer| {
            assert!(!answer.to_string().contains("m.read.private"), "{answer:#}");
            has_receipt(answer, &room, "m.read", &second, &bob)
        })
        .await;
    assert!(!answer.to_string().contains("m.read.private"), "{answer:#}");
}

async fn presence_is_seen_on_the_other_side(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    shared_room(&alice, &bob).await;
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let words = format!("gone fishing, {}", one.localpart);
        let body = json!({ "presence": "unavailable", "status_msg": words });
        let since = other.now().await;
        one.put(v3(["presence", &one.id, "status"]), body).await.unwrap();
        other
            .sync_until(&since, |answer| {
                let events = answer["presence"]["events"].as_array();
                events.into_iter().flatten().any(|event| {
                    event["sender"] == one.id.as_str() && event["content"]["status_msg"] == words.as_str()
                })
            })
            .await;
        until("presence can be asked for", async || {
            let presence = other.get(v3(["presence", &one.id, "status"])).await.ok()?;
            (presence["status_msg"] == words.as_str()).then_some(())
        })
        .await;
    }
}
