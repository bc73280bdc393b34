use echorift_tests::{Look as _, Refusal, User, fresh, refused, v3};
use reqwest::Method;
use serde_json::{Value, json};

use super::gateway::{Gateway, pusher, server};

const URL: &str = "https://push.example.org/_matrix/push/v1/notify";

async fn set(user: &User, body: Value) -> Result<Value, Refusal> {
    user.post(v3(["pushers", "set"]), body).await
}

async fn keys(user: &User) -> Vec<String> {
    let answer = user.get(v3(["pushers"])).await.unwrap();
    let keys = answer.list("/pushers").iter();
    keys.map(|pusher| pusher.text("/pushkey").to_owned()).collect()
}

#[tokio::test]
async fn a_pusher_is_given_back_as_it_was_set_and_can_be_changed_and_deleted() {
    let server = server().start().await;
    let [alice] = server.register(["alice"]).await;
    let mut body = pusher(
        "key",
        URL,
        json!({ "format": "event_id_only", "org.example": [1] }),
    );
    body["profile_tag"] = json!("tag");
    set(&alice, body.clone()).await.unwrap();
    let answer = alice.get(v3(["pushers"])).await.unwrap();
    let given = &answer["pushers"][0];
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(given[name], *value, "{name}");
    }
    assert_eq!(given["org.matrix.msc3881.enabled"], true);
    assert_eq!(given["org.matrix.msc3881.device_id"], alice.device_id.as_str());

    body["lang"] = json!("de");
    body["org.matrix.msc3881.enabled"] = json!(false);
    set(&alice, body).await.unwrap();
    let answer = alice.get(v3(["pushers"])).await.unwrap();
    assert_eq!(answer.list("/pushers").len(), 1);
    assert_eq!(answer.text("/pushers/0/lang"), "de");
    assert_eq!(answer["pushers"][0]["org.matrix.msc3881.enabled"], false);

    let delete = json!({ "app_id": "org.example.app", "pushkey": "key", "kind": null });
    set(&alice, delete.clone()).await.unwrap();
    assert!(keys(&alice).await.is_empty());
    set(&alice, delete).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_a_pusher_is_refused() {
    let server = server().set("push.allow_http", false).start().await;
    let [alice] = server.register(["alice"]).await;
    let without = |name: &str| {
        let mut body = pusher("key", URL, json!({}));
        body.as_object_mut().unwrap().remove(name);
        body
    };
    for name in [
        "kind",
        "app_id",
        "pushkey",
        "lang",
        "data",
        "app_display_name",
        "device_display_name",
    ] {
        refused(set(&alice, without(name)).await, 400, "M_MISSING_PARAM");
    }
    let mut no_url = pusher("key", URL, json!({}));
    no_url["data"] = json!({});
    refused(set(&alice, no_url).await, 400, "M_MISSING_PARAM");
    let long = "x".repeat(513);
    for (key, url) in [
        ("key", "http://push.example.org/_matrix/push/v1/notify"),
        ("key", "https://push.example.org/elsewhere"),
        (
            "key",
            "https://user:password@push.example.org/_matrix/push/v1/notify",
        ),
        ("key", "no url"),
        (long.as_str(), URL),
        ("a\0b", URL),
        ("", URL),
    ] {
        refused(
            set(&alice, pusher(key, url, json!({}))).await,
            400,
            "M_INVALID_PARAM",
        );
    }
    let mut other = pusher("key", URL, json!({}));
    other["kind"] = json!("pigeon");
    refused(set(&alice, other).await, 400, "M_INVALID_PARAM");
    let mut other = pusher("key", URL, json!({}));
    other["app_id"] = json!("x".repeat(65));
    refused(set(&alice, other).await, 400, "M_INVALID_PARAM");
    let mut other = pusher("key", URL, json!({}));
    other["lang"] = json!(7);
    refused(set(&alice, other).await, 400, "M_BAD_JSON");
    assert!(keys(&alice).await.is_empty());
}

#[tokio::test]
async fn a_key_moves_to_who_sets_it_unless_it_is_appended() {
    let server = server().start().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let body = pusher(&fresh("shared"), URL, json!({}));
    set(&alice, body.clone()).await.unwrap();
    let mut appended = body.clone();
    appended["append"] = json!(true);
    set(&bob, appended).await.unwrap();
    assert_eq!((keys(&alice).await.len(), keys(&bob).await.len()), (1, 1));
    set(&carol, body).await.unwrap();
    assert_eq!((keys(&alice).await.len(), keys(&bob).await.len()), (0, 0));
    assert_eq!(keys(&carol).await.len(), 1);
}

#[tokio::test]
async fn a_pusher_ends_with_the_session_that_made_it() {
    let server = server().start().await;
    let [alice] = server.register(["alice"]).await;
    let (phone, tablet, laptop) = (
        alice.on_another_device().await,
        alice.on_another_device().await,
        alice.on_another_device().await,
    );
    for (device, key) in [(&alice, "a"), (&phone, "p"), (&tablet, "t"), (&laptop, "l")] {
        set(device, pusher(key, URL, json!({}))).await.unwrap();
    }
    phone.post(v3(["logout"]), json!({})).await.unwrap();
    assert_eq!(keys(&alice).await, ["a", "l", "t"]);
    alice
        .confirm(Method::DELETE, v3(["devices", &tablet.device_id]), json!({}))
        .await
        .unwrap();
    assert_eq!(keys(&alice).await, ["a", "l"]);
    let change = json!({ "new_password": "another", "logout_devices": true });
    alice
        .confirm(Method::POST, v3(["account", "password"]), change)
        .await
        .unwrap();
    assert_eq!(keys(&alice).await, ["a"]);
}

#[tokio::test]
async fn who_has_logged_out_hears_nothing_more() {
    let (server, mut gateway) = (server().start().await, Gateway::start().await);
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let phone = bob.on_another_device().await;
    gateway.register(&phone, json!({})).await;
    alice.send_text(&room, "one").await.unwrap();
    gateway.next_event().await;
    phone.post(v3(["logout"]), json!({})).await.unwrap();
    alice.send_text(&room, "two").await.unwrap();
    // A pusher set later hears what comes later: by then the first one was passed over.
    let key = gateway.register(&bob, json!({})).await;
    let third = alice.send_text(&room, "three").await.unwrap();
    let told = gateway.next_event().await;
    assert_eq!(
        (told.text("/event_id"), told.text("/devices/0/pushkey")),
        (&*third, &*key)
    );
}
