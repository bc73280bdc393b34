//! What may be said to a server that is told what the directory holds: no part is taken for the whole.

use echorift_tests::{Caller, Look as _, TestServer, refused, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{admin, profile};

/// A server whose directory only another process reaches.
async fn server() -> (TestServer, Caller, Caller) {
    let server = TestServer::builder()
        .set("directory.urls", json!(["ldaps://127.0.0.1:9"]))
        .set("directory.base_dn", "dc=x")
        .set("directory.sync", true)
        .set("directory.sync_from", "feed")
        .start()
        .await;
    let root = server.register_admin().await;
    let token = async |scope: &str| {
        let asked = json!({ "name": scope, "scopes": [scope] });
        let made = root.post("/_echorift/v1/tokens", asked).await.unwrap();
        server.with_token(made.text("/token"))
    };
    let (feeding, reading) = (token("directory").await, token("read").await);
    refused(
        reading.post(admin(&["feed", "readings"]), json!({})).await,
        403,
        "M_FORBIDDEN",
    );
    refused(feeding.get(admin(&[])).await, 403, "M_FORBIDDEN");
    let root = server.with_token(root.token.as_deref().unwrap());
    (server, root, feeding)
}

fn people(numbers: std::ops::Range<usize>) -> Vec<Value> {
    let person = |n| {
        json!({
            "id": format!("id-{n}"), "dn": format!("uid=p{n},dc=x"), "localpart": format!("p{n}"),
            "display_name": format!("Person {n}"), "standing": "active", "member_of": ["cn=all,dc=x"],
        })
    };
    numbers.map(person).collect()
}

async fn begin(feeding: &Caller) -> String {
    let begun = feeding.post(admin(&["feed", "readings"]), json!({})).await;
    begun.unwrap().text("/reading_id").to_owned()
}

async fn put(feeding: &Caller, reading: &str, number: &str, part: Value) -> echorift_tests::Answer {
    let path = admin(&["feed", "readings", reading, "parts", number]);
    feeding.put(path, part).await
}

async fn complete(feeding: &Caller, reading: &str, parts: u32, people: usize) -> echorift_tests::Answer {
    let totals = json!({ "parts": parts, "people": people, "groups": 0 });
    feeding
        .post(admin(&["feed", "readings", reading, "complete"]), totals)
        .await
}

/// Sends these people in two parts, of which one is sent twice.
async fn send(feeding: &Caller, everybody: &[Value]) -> Value {
    let reading = begin(feeding).await;
    let (first, second) = everybody.split_at(everybody.len() / 2);
    for (number, part) in [("1", second), ("0", first), ("1", second)] {
        put(feeding, &reading, number, json!({ "people": part }))
            .await
            .unwrap();
    }
    complete(feeding, &reading, 2, everybody.len()).await.unwrap()
}

#[tokio::test]
async fn what_is_not_complete_or_not_readable_changes_nothing() {
    let (_server, root, feeding) = server().await;
    let everybody = people(0..20);
    assert_eq!(send(&feeding, &everybody).await["outcome"], "done");
    assert_eq!(profile(&root, "p7", "displayname").await, "Person 7");

    let reading = begin(&feeding).await;
    put(&feeding, &reading, "0", json!({ "people": people(0..1) }))
        .await
        .unwrap();
    for (parts, count) in [(2, 1), (1, 2), (0, 0)] {
        let again = begin(&feeding).await;
        put(&feeding, &again, "0", json!({ "people": people(0..1) }))
            .await
            .unwrap();
        refused(
            complete(&feeding, &again, parts, count).await,
            400,
            "M_INVALID_PARAM",
        );
    }
    // A later reading has begun meanwhile.
    refused(complete(&feeding, &reading, 1, 1).await, 404, "M_NOT_FOUND");

    let reading = begin(&feeding).await;
    for (key, value) in [
        ("dn", json!("nonsense")),
        ("standing", json!("asleep")),
        ("photo_sha256", json!("x")),
        ("id", json!("")),
    ] {
        let mut person = people(0..1).remove(0);
        person[key] = value;
        let answer = put(&feeding, &reading, "0", json!({ "people": [person] })).await;
        assert_eq!(answer.unwrap_err().status, 400, "{key}");
    }
    let twins = [people(0..1), people(0..1)].concat();
    put(&feeding, &reading, "0", json!({ "people": twins }))
        .await
        .unwrap();
    refused(complete(&feeding, &reading, 1, 2).await, 400, "M_INVALID_PARAM");

    // Nobody at all is a failure of whoever has read it.
    let run = send(&feeding, &[]).await;
    assert_eq!(run["outcome"], "failed");
    let locked = root
        .get("/_matrix/client/v1/admin/lock/@p7:test.example")
        .await
        .unwrap();
    assert_eq!(locked["locked"], false);
}

#[tokio::test]
async fn changes_follow_what_was_sent_or_are_refused() {
    let (_server, root, feeding) = server().await;
    let changes = |reading: &Value, revision: u64, people: Value, gone: Value| json!({ "reading_id": reading, "revision": revision, "people": people, "gone": gone });
    let changes_path = admin(&["feed", "changes"]);
    let early = changes(&json!("none"), 0, json!([]), json!(["id-1"]));
    refused(
        feeding.post(&changes_path, early).await,
        409,
        "ORG.ECHORIFT.OUT_OF_STEP",
    );

    let run = send(&feeding, &people(0..20)).await;
    let reading = &run["state"]["reading_id"];
    let mut renamed = people(3..4);
    renamed[0]["display_name"] = json!("Nora");
    let body = changes(reading, 0, json!(renamed), json!(["id-1"]));
    let run = feeding.post(&changes_path, body.clone()).await.unwrap();
    assert_eq!(
        (&run["outcome"], &run["state"]["revision"]),
        (&json!("done"), &json!(1))
    );
    assert_eq!(profile(&root, "p3", "displayname").await, "Nora");
    let locked = root
        .get("/_matrix/client/v1/admin/lock/@p1:test.example")
        .await
        .unwrap();
    assert_eq!(locked["locked"], true);
    // The same again is not: who has lost the answer sends everything.
    refused(
        feeding.post(&changes_path, body).await,
        409,
        "ORG.ECHORIFT.OUT_OF_STEP",
    );

    // Somebody who wants everything read is heard at once.
    let everybody = people(0..20);
    let answering = async {
        let state = feeding.get(format!("{}?timeout=60000", admin(&["feed"]))).await;
        (state, send(&feeding, &everybody).await)
    };
    let ((state, answer), last) = tokio::join!(answering, root.post(admin(&["sync"]), json!({})));
    let last = last.unwrap();
    assert!(state.unwrap()["reading_id"].is_string());
    assert_eq!(
        (&answer["outcome"], &last["last"]["outcome"]),
        (&json!("done"), &json!("done"))
    );
}

#[tokio::test]
async fn who_would_lock_too_many_is_stopped_until_an_administrator_approves() {
    let (_server, root, feeding) = server().await;
    send(&feeding, &people(0..40)).await;
    let run = send(&feeding, &people(0..20)).await;
    assert_eq!(run["outcome"], "stopped");
    assert!(run["state"]["reading_id"].is_null());
    let plan = root.get(admin(&["plan"])).await.unwrap();
    assert_eq!((&plan["locks"], &plan["locks_max"]), (&json!(20), &json!(5)));

    // Approval is for the reading that it asks for.
    let approve = root.post(admin(&["approve"]), json!({}));
    let answer = async {
        until("everything is to be read", async || {
            let state = feeding.get(admin(&["feed"])).await.unwrap();
            (state["wants_reading"] == true).then_some(())
        })
        .await;
        send(&feeding, &people(0..20)).await
    };
    let (approved, run) = tokio::join!(approve, answer);
    assert_eq!(run["outcome"], "done");
    assert_eq!(approved.unwrap()["last"]["locked"], 20);
    let photo = feeding.request(Method::PUT, admin(&["feed", "photos", "id-1"]));
    assert_eq!(photo.body("no photo").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn each_domain_is_fed_by_itself() {
    let sales = json!({
        "urls": ["ldaps://127.0.0.1:9"], "base_dn": "dc=y", "sync": true, "sync_from": "feed",
    });
    let server = TestServer::builder()
        .set("directory.urls", json!(["ldaps://127.0.0.1:9"]))
        .set("directory.base_dn", "dc=x")
        .set("directory.domains.sales", sales)
        .start()
        .await;
    let root = server.register_admin().await;
    let root = server.with_token(root.token.as_deref().unwrap());
    // The first is not mirrored at all.
    refused(
        root.post(admin(&["feed", "readings"]), json!({})).await,
        404,
        "M_NOT_FOUND",
    );
    let of_sales = |parts: &[&str]| format!("{}?domain=sales", admin(&[&["feed"], parts].concat()));
    let begun = root.post(of_sales(&["readings"]), json!({})).await.unwrap();
    let reading = begun.text("/reading_id");
    let part = json!({ "people": people(0..1) });
    root.put(of_sales(&["readings", reading, "parts", "0"]), part)
        .await
        .unwrap();
    let totals = json!({ "parts": 1, "people": 1, "groups": 0 });
    let run = root
        .post(of_sales(&["readings", reading, "complete"]), totals)
        .await
        .unwrap();
    assert_eq!(run["outcome"], "done");
    assert_eq!(profile(&root, "p0", "displayname").await, "Person 0");
    let state = root.get(of_sales(&[])).await.unwrap();
    assert_eq!(state["reading_id"], reading);
}
