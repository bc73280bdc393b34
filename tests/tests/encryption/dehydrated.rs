//! Dehydrated devices (MSC3814).

use echorift_tests::{Look as _, TestServer, User, fresh, path, refused, v3};
use reqwest::Method;
use serde_json::{Value, json};

use crate::identity::{device_keys, query, signed_keys};

const PATH: &str = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";

/// The user as their dehydrated device would sign.
fn as_device(user: &User, device_id: &str) -> User {
    User {
        device_id: device_id.to_owned(),
        ..user.clone()
    }
}

fn upload(user: &User, device_id: &str) -> Value {
    let device = as_device(user, device_id);
    let mut keys = device_keys(&device);
    keys["dehydrated"] = true.into();
    json!({
        "device_id": device_id,
        "initial_device_display_name": "spare",
        "device_data": { "algorithm": "org.matrix.msc3814.v2", "device_pickle": "YQ", "nonce": "YQ" },
        "device_keys": keys,
        "one_time_keys": signed_keys(&device, ["A".to_owned()]),
        "fallback_keys": signed_keys(&device, ["F".to_owned()]),
    })
}

#[tokio::test]
async fn a_dehydrated_device_can_be_written_to_and_is_used_by_nobody() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    refused(alice.get(PATH).await, 404, "M_NOT_FOUND");
    refused(alice.delete(PATH).await, 404, "M_NOT_FOUND");
    let taken = upload(&alice, &alice.device_id);
    refused(alice.put(PATH, taken).await, 400, "M_INVALID_PARAM");
    for device in ["OLD", "SPARE"] {
        let answer = alice.put(PATH, upload(&alice, device)).await.unwrap();
        assert_eq!(answer, json!({ "device_id": device }));
    }
    let found = alice.get(PATH).await.unwrap();
    assert_eq!(found["device_id"], "SPARE");
    assert_eq!(found["device_data"], upload(&alice, "SPARE")["device_data"]);
    let shown = query(&bob, &[&alice]).await["device_keys"][&alice.id].clone();
    assert_eq!(shown["SPARE"]["dehydrated"], true);
    assert!(shown.get("OLD").is_none(), "{shown}");
    let listed = alice.get(v3(["devices"])).await.unwrap();
    assert_eq!(listed.list("/devices").len(), 1, "{listed}");

    for number in 0..150 {
        let messages = json!({ "messages": { &alice.id: { "SPARE": { "body": number } } } });
        let txn = fresh("txn");
        bob.put(v3(["sendToDevice", "m.test", &txn]), messages)
            .await
            .unwrap();
    }
    let events = path(PATH, &["SPARE", "events"]);
    for method in [Method::POST, Method::GET] {
        let (mut heard, mut next) = (Vec::new(), None::<String>);
        loop {
            let answer = match (&method, &next) {
                (&Method::GET, None) => alice.get(&events).await,
                (&Method::GET, Some(next)) => alice.get(format!("{events}?next_batch={next}")).await,
                (_, None) => alice.post(&events, json!({})).await,
                (_, Some(next)) => alice.post(&events, json!({ "next_batch": next })).await,
            };
            let answer = answer.unwrap();
            let page = answer.list("/events");
            if page.is_empty() {
                break;
            }
            heard.extend(page.iter().map(|event| event.number("/content/body")));
            next = Some(answer.text("/next_batch").to_owned());
        }
        // The second time, too: another device may have to begin anew.
        assert_eq!(heard, (0..150).collect::<Vec<_>>());
    }
    let other = path(PATH, &["OTHER", "events"]);
    refused(alice.post(other, json!({})).await, 403, "M_FORBIDDEN");

    assert_eq!(alice.delete(PATH).await.unwrap(), json!({ "device_id": "SPARE" }));
    refused(alice.get(PATH).await, 404, "M_NOT_FOUND");
    assert_eq!(query(&bob, &[&alice]).await["device_keys"][&alice.id], json!({}));
}
