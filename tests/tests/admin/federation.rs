use echorift_tests::{Look as _, TestAuthority, TestServer, free_port, refused, until, v1};
use serde_json::json;

use crate::admin;

/// Two servers that find each other, as long as both run.
async fn pair() -> (TestServer, TestServer, TestAuthority) {
    let authority = TestAuthority::new();
    let (one, two) = (("one.example", free_port()), ("two.example", free_port()));
    let start = async |(name, port): (&str, u16)| {
        let server = TestServer::builder().federating_at(&authority, name, port);
        server.hosts(&[one, two]).start().await
    };
    (start(one).await, start(two).await, authority)
}

#[tokio::test]
async fn other_servers_are_shown_with_what_waits_for_them() {
    let (one, two, _authority) = pair().await;
    let root = one.register_admin().await;
    let [alice] = one.register(["alice"]).await;
    let [zoe] = two.register(["zoe"]).await;
    let room = alice.create_public_room().await;
    zoe.join_via(&room, &one).await.unwrap();
    let event = alice.send_text(&room, "hello").await.unwrap();
    zoe.sees(&room, &event).await;
    let path = admin(["federation", "destinations", "two.example"]);
    let shown = until("a server that has got all", async || {
        let shown = root.get(&path).await.ok()?;
        (shown["state"] == "ok" && shown["last_success_ts"].is_i64()).then_some(shown)
    })
    .await;
    assert_eq!(shown["rooms"], json!([{ "room_id": room, "name": null }]));
    let listed = root
        .get(admin(["federation", "destinations"]) + "?search=TWO")
        .await
        .unwrap();
    assert_eq!(listed.text("/items/0/server"), "two.example");

    let tested = root.post(format!("{path}/test"), json!({})).await.unwrap();
    assert_eq!(tested["ok"], true, "{tested}");
    assert!(tested.text("/version").starts_with("EchoRift"));

    two.kill();
    alice.send_text(&room, "anybody there?").await.unwrap();
    let away = until("a server that is away", async || {
        let shown = root.get(&path).await.ok()?;
        (shown["state"] == "unreachable" && shown["failure"].is_string()).then_some(shown)
    })
    .await;
    assert!(away.number("/failing_since_ts") > 0);
    let tested = root.post(format!("{path}/test"), json!({})).await.unwrap();
    assert_eq!(tested["ok"], false, "{tested}");

    two.restart().await;
    root.post(format!("{path}/retry"), json!({ "reason": "it is back" }))
        .await
        .unwrap();
    until("a server that has got all again", async || {
        let shown = root.get(&path).await.ok()?;
        (shown["state"] == "ok" && shown["queued_pdus"] == 0).then_some(())
    })
    .await;
    refused(
        root.get(admin(["federation", "destinations", "unheard.example"]))
            .await,
        404,
        "M_NOT_FOUND",
    );
}

#[tokio::test]
async fn files_of_other_servers_are_purged_and_locked_out() {
    let (one, two, _authority) = pair().await;
    let root = one.register_admin().await;
    let [alice] = one.register(["alice"]).await;
    let [zoe] = two.register(["zoe"]).await;
    let request = zoe
        .request(reqwest::Method::POST, "/_matrix/media/v3/upload")
        .header("content-type", "text/plain")
        .body("from afar");
    let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    let id = answer.text("/content_uri").rsplit_once('/').unwrap().1.to_owned();
    let download = async || {
        let path = v1(["media", "download", "two.example", &id]);
        alice
            .request(reqwest::Method::GET, path)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(download().await, 200);
    let kept = root.get(admin(["media"]) + "?origin=two.example").await.unwrap();
    assert_eq!(kept.text("/items/0/media_id"), id);
    assert!(kept.number("/items/0/last_access_ts") > 0);

    let purge = async |dry_run: bool| {
        let body = json!({ "not_used_since_ts": i64::MAX, "dry_run": dry_run });
        root.post(admin(["media", "purge_remote"]), body).await.unwrap()
    };
    for dry_run in [true, false] {
        assert_eq!(purge(dry_run).await, json!({ "files": 1, "bytes": 9 }));
    }
    assert_eq!(purge(true).await, json!({ "files": 0, "bytes": 0 }));
    assert_eq!(download().await, 200, "it is fetched again");
    root.post(admin(["media", "two.example", &id, "quarantine"]), json!({}))
        .await
        .unwrap();
    assert_eq!(download().await, 404);
}
