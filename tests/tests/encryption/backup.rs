//! Backups of room keys.

use echorift_tests::{Answer, Look as _, TestServer, User, path, refused, v3};
use reqwest::Method;
use serde_json::{Value, json};

const ALGORITHM: &str = "m.megolm_backup.v1.curve25519-aes-sha2";

fn description(public_key: &str) -> Value {
    json!({ "algorithm": ALGORITHM, "auth_data": { "public_key": public_key, "signatures": {} } })
}

fn key(is_verified: bool, first_message_index: u32, forwarded_count: u32) -> Value {
    json!({
        "first_message_index": first_message_index,
        "forwarded_count": forwarded_count,
        "is_verified": is_verified,
        "session_data": { "ephemeral": "YQ", "ciphertext": "YQ", "mac": "YQ" },
    })
}

async fn create(user: &User) -> String {
    let answer = user.post(v3(["room_keys", "version"]), description("YWJj")).await;
    answer.expect("a backup may be made").text("/version").to_owned()
}

/// `…/room_keys/keys/…?version=`
fn keys(parts: &[&str], version: &str) -> String {
    format!("{}?version={version}", path(&v3(["room_keys", "keys"]), parts))
}

async fn put(user: &User, version: &str, key: Value) -> Answer {
    user.put(keys(&["!room:one.example", "S"], version), key).await
}

#[tokio::test]
async fn a_backup_is_described_updated_and_deleted() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let versions = v3(["room_keys", "version"]);
    refused(alice.get(&versions).await, 404, "M_NOT_FOUND");
    let first = create(&alice).await;
    let second = create(&alice).await;
    assert_ne!(first, second);
    assert_eq!(alice.get(&versions).await.unwrap().text("/version"), second);
    refused(bob.get(&versions).await, 404, "M_NOT_FOUND");

    let of_second = v3(["room_keys", "version", &second]);
    alice.put(&of_second, description("eHl6")).await.unwrap();
    let shown = alice.get(&of_second).await.unwrap();
    assert_eq!(
        shown,
        json!({
            "algorithm": ALGORITHM,
            "auth_data": { "public_key": "eHl6", "signatures": {} },
            "count": 0, "etag": shown["etag"], "version": second,
        })
    );
    let mut wrong = description("eHl6");
    wrong["version"] = first.clone().into();
    refused(alice.put(&of_second, wrong).await, 400, "M_INVALID_PARAM");
    let other = json!({ "algorithm": "other", "auth_data": {} });
    refused(alice.put(&of_second, other).await, 400, "M_INVALID_PARAM");

    alice.delete(&of_second).await.unwrap();
    alice.delete(&of_second).await.unwrap();
    refused(alice.get(&of_second).await, 404, "M_NOT_FOUND");
    assert_eq!(alice.get(&versions).await.unwrap().text("/version"), first);
    refused(
        alice.delete(v3(["room_keys", "version", "99"])).await,
        404,
        "M_NOT_FOUND",
    );
    let third = create(&alice).await;
    assert_ne!(
        third, second,
        "the number of a deleted version is not given out again"
    );
}

#[tokio::test]
async fn keys_are_stored_counted_and_deleted() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let version = create(&alice).await;
    let all = json!({ "rooms": {
        "!a:one.example": { "sessions": { "S1": key(true, 0, 0), "S2": key(false, 3, 1) } },
        "!b:one.example": { "sessions": { "S3": key(true, 0, 0) } },
    } });
    let stored = alice.put(keys(&[], &version), all.clone()).await.unwrap();
    assert_eq!(stored["count"], 3);
    // Nothing is better than what is there: nothing was written.
    assert_eq!(alice.put(keys(&[], &version), all.clone()).await.unwrap(), stored);
    let one_more = json!({ "sessions": { "S4": key(true, 0, 0) } });
    let now = alice
        .put(keys(&["!a:one.example"], &version), one_more)
        .await
        .unwrap();
    assert_eq!(now["count"], 4);
    assert_ne!(now["etag"], stored["etag"]);

    let shown = alice.get(keys(&[], &version)).await.unwrap();
    assert_eq!(shown["rooms"]["!b:one.example"], all["rooms"]["!b:one.example"]);
    let shown = alice.get(keys(&["!a:one.example"], &version)).await.unwrap();
    assert_eq!(shown["sessions"]["S2"], key(false, 3, 1));
    let shown = alice
        .get(keys(&["!a:one.example", "S1"], &version))
        .await
        .unwrap();
    assert_eq!(shown, key(true, 0, 0));
    refused(
        alice.get(keys(&["!a:one.example", "NONE"], &version)).await,
        404,
        "M_NOT_FOUND",
    );
    let none = alice.get(keys(&["!none:one.example"], &version)).await.unwrap();
    assert_eq!(none, json!({ "sessions": {} }));
    refused(alice.get(keys(&[], "99")).await, 404, "M_NOT_FOUND");

    for (parts, count) in [
        (&["!a:one.example", "S1"][..], 3),
        (&["!a:one.example"], 1),
        (&[], 0),
    ] {
        let answer = alice.call(Method::DELETE, keys(parts, &version), None).await;
        assert_eq!(answer.unwrap()["count"], count);
    }
    assert_eq!(
        alice.get(keys(&[], &version)).await.unwrap(),
        json!({ "rooms": {} })
    );
}

#[tokio::test]
async fn the_better_key_stays() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let version = create(&alice).await;
    let stored = async || {
        alice
            .get(keys(&["!room:one.example", "S"], &version))
            .await
            .unwrap()
    };
    // Each is better than the one before it, for a reason that outweighs the others.
    let mut best = Vec::new();
    for better in [
        key(false, 9, 9),
        key(false, 9, 1),
        key(false, 2, 5),
        key(true, 8, 8),
    ] {
        put(&alice, &version, better.clone()).await.unwrap();
        assert_eq!(stored().await, better);
        for worse in &best {
            put(&alice, &version, Value::clone(worse)).await.unwrap();
            assert_eq!(stored().await, better);
        }
        best.push(better);
    }
    assert_eq!(put(&alice, &version, key(true, 8, 8)).await.unwrap()["count"], 1);
}

#[tokio::test]
async fn keys_go_into_the_current_backup_only() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    refused(put(&alice, "1", key(true, 0, 0)).await, 404, "M_NOT_FOUND");
    let old = create(&alice).await;
    let current = create(&alice).await;
    let refusal = refused(
        put(&alice, &old, key(true, 0, 0)).await,
        403,
        "M_WRONG_ROOM_KEYS_VERSION",
    );
    assert_eq!(refusal.body.text("/current_version"), current);
    let mut bad = key(true, 0, 0);
    bad["session_data"] = json!("text");
    refused(put(&alice, &current, bad).await, 400, "M_INVALID_PARAM");
    let mut bad = key(true, 0, 0);
    bad["first_message_index"] = json!("none");
    refused(put(&alice, &current, bad).await, 400, "M_BAD_JSON");
}
