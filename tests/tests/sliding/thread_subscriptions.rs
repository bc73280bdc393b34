use echorift_tests::{Look as _, TestServer, User, path, query_json};
use serde_json::{Value, json};

use super::{Client, list};

const MSC4306: &str = "/_matrix/client/unstable/io.element.msc4306/rooms";
const CHANGES: &str = "/_matrix/client/unstable/io.element.msc4308/thread_subscriptions";

fn subscription(room: &str, root: &str) -> String {
    path(MSC4306, &[room, "thread", root, "subscription"])
}

async fn answer_in_thread(user: &User, room: &str, root: &str) -> String {
    let content = json!({ "msgtype": "m.text", "body": "x",
        "m.relates_to": { "rel_type": "m.thread", "event_id": root } });
    user.send_event(room, "m.room.message", content).await.unwrap()
}

#[tokio::test]
async fn a_thread_is_followed_and_no_longer_followed() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let root = alice.send_text(&room, "root").await.unwrap();
    let cause = answer_in_thread(&alice, &room, &root).await;
    let thread = subscription(&room, &root);
    let refused = |answer: echorift_tests::Answer| {
        let refusal = answer.unwrap_err();
        (refusal.status, refusal.errcode)
    };
    let not_found = (404, "M_NOT_FOUND".to_owned());
    assert_eq!(refused(bob.get(&thread).await), not_found);

    bob.put(&thread, json!({ "automatic": cause })).await.unwrap();
    assert_eq!(bob.get(&thread).await.unwrap()["automatic"], true);
    bob.put(&thread, json!({})).await.unwrap();
    assert_eq!(bob.get(&thread).await.unwrap()["automatic"], false);
    bob.delete(&thread).await.unwrap();
    bob.delete(&thread).await.unwrap();
    assert_eq!(refused(bob.get(&thread).await), not_found);
    assert_eq!(
        refused(bob.put(&thread, json!({ "automatic": cause })).await),
        (409, "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION".to_owned())
    );
    let later = answer_in_thread(&alice, &room, &root).await;
    bob.put(&thread, json!({ "automatic": later })).await.unwrap();
    let elsewhere = alice.send_text(&room, "elsewhere").await.unwrap();
    assert_eq!(
        refused(bob.put(&thread, json!({ "automatic": elsewhere })).await),
        (400, "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD".to_owned())
    );

    let [stranger] = server.register(["stranger"]).await;
    for thread in [thread, subscription("!nowhere:test.example", &root)] {
        assert_eq!(refused(stranger.get(&thread).await), not_found);
        assert_eq!(refused(stranger.put(&thread, json!({})).await), not_found);
        assert_eq!(refused(stranger.delete(&thread).await), not_found);
    }
}

#[tokio::test]
async fn changes_come_with_the_sync_and_the_rest_by_pages() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let mut roots = Vec::new();
    for _ in 0..3 {
        let root = alice.send_text(&room, "root").await.unwrap();
        alice.put(subscription(&room, &root), json!({})).await.unwrap();
        roots.push(root);
    }
    server.kill();
    server.restart().await;
    let extension = |limit: u32| json!({ "io.element.msc4308.thread_subscriptions": { "enabled": true, "limit": limit } });
    let mut body = list(json!({}));
    body["extensions"] = extension(2);
    let mut client = Client::new(&alice, body);
    let told = |answer: &Value| answer["extensions"]["io.element.msc4308.thread_subscriptions"].clone();
    let first = told(&client.sync().await);
    let subscribed = first["subscribed"][&room].as_object().unwrap();
    assert!(
        subscribed.contains_key(&roots[2]) && subscribed.contains_key(&roots[1]) && subscribed.len() == 2
    );
    let page = alice
        .get(format!("{CHANGES}?dir=b&from={}", first.text("/prev_batch")))
        .await
        .unwrap();
    let subscribed = page["subscribed"][&room].as_object().unwrap();
    assert!(
        subscribed.contains_key(&roots[0]) && subscribed.len() == 1 && page.get("end").is_none(),
        "{page}"
    );

    let thread = subscription(&room, &roots[0]);
    let (answer, ended) = tokio::join!(client.wait(120_000), alice.delete(thread));
    ended.unwrap();
    let told = told(&answer);
    let before = page["subscribed"][&room][&roots[0]].number("/bump_stamp");
    assert!(
        told["unsubscribed"][&room][&roots[0]].number("/bump_stamp") > before,
        "{told}"
    );
    assert!(told.get("subscribed").is_none() && told.get("prev_batch").is_none());
    for bad in [
        "dir=b&limit=0",
        "dir=b&from=nonsense",
        &format!("dir={}", query_json(&json!("x"))),
    ] {
        let refusal = alice.get(format!("{CHANGES}?{bad}")).await.unwrap_err();
        assert_eq!(
            (refusal.status, refusal.errcode.as_str()),
            (400, "M_INVALID_PARAM"),
            "{bad}"
        );
    }
}
