use echorift_tests::{PATIENCE, TestServer, refused, v1};
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, Method, StatusCode};
use serde_json::json;

use crate::{UPLOAD, download, files_below, get, send, upload, upload_named};

#[tokio::test]
async fn what_goes_in_comes_out() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    // More than one batch of the upload, and no round number.
    let content: Vec<u8> = (0..3_300_001_u32)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    let media = upload(&alice, "application/x-thing", content.clone()).await;
    assert!(media.starts_with("test.example/") && media.len() >= "test.example/".len() + 24);
    let answer = download(&bob, &media).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body == content);
    assert_eq!(answer.header("content-type"), "application/x-thing");
    assert_eq!(answer.header("content-length"), "3300001");
    assert_eq!(answer.header("content-disposition"), "attachment");
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "text/plain", Vec::new()).await;
    let answer = download(&alice, &media).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn the_same_content_is_stored_once() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let content = vec![7_u8; 2_000_000];
    let again = || upload(&bob, "b/b", content.clone());
    let ids = tokio::join!(upload(&alice, "a/a", content.clone()), again(), again(), again());
    let ids = [ids.0, ids.1, ids.2, ids.3];
    let last = upload(&alice, "c/c", content.clone()).await;
    for id in &ids {
        assert_ne!(*id, last);
        assert!(download(&alice, id).await.body == content);
    }
    assert_eq!(download(&alice, &ids[0]).await.header("content-type"), "a/a");
    assert_eq!(download(&alice, &last).await.header("content-type"), "c/c");
    // Those who were at it at the same moment may have brought their own copy; later ones do not.
    let stored = files_below(&server.data_dir().join("media"));
    upload(&bob, "d/d", content).await;
    assert_eq!(files_below(&server.data_dir().join("media")), stored);
}

#[tokio::test]
async fn what_is_too_large_is_refused_whether_announced_or_not() {
    let server = TestServer::builder()
        .set("media.max_upload", "1MiB")
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let limits = alice.get(v1(["media", "config"])).await.unwrap();
    assert_eq!(limits["m.upload.size"], 1 << 20);

    let post = || alice.request(Method::POST, UPLOAD).header("content-type", "a/b");
    let announced = send(post().body(vec![0_u8; (1 << 20) + 1])).await;
    refused(announced.into_answer(), 413, "M_TOO_LARGE");
    let pieces = stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 100_000])));
    let streamed = send(post().body(Body::wrap_stream(pieces))).await;
    refused(streamed.into_answer(), 413, "M_TOO_LARGE");

    let fits = send(post().body(vec![0_u8; 1 << 20])).await;
    assert_eq!(fits.status, StatusCode::OK);
    assert_eq!(files_below(&server.data_dir().join("media/staging")), 0);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let staging = server.data_dir().join("media/staging");
    let (sender, receiver) = tokio::sync::mpsc::channel::<Vec<u8>>(1);
    let pieces = stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    let request = alice
        .request(Method::POST, UPLOAD)
        .body(Body::wrap_stream(pieces.boxed()));
    let sending = tokio::spawn(request.send());
    for _ in 0..30 {
        sender.send(vec![1; 100_000]).await.unwrap();
    }
    eventually(|| files_below(&staging) == 1).await;
    sending.abort();
    eventually(|| files_below(&staging) == 0).await;
    assert_eq!(files_below(&server.data_dir().join("media/contents")), 0);
}

#[tokio::test]
async fn what_a_killed_server_was_receiving_is_gone_after_the_next_start() {
    let server = TestServer::start().await;
    let staging = server.data_dir().join("media/staging");
    std::fs::write(staging.join("half"), "half of something").unwrap();
    server.kill();
    server.restart().await;
    assert_eq!(files_below(&staging), 0);
}

#[tokio::test]
async fn a_name_is_kept_whatever_is_in_it() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for (query, expected) in [
        ("?filename=plain.png", "inline; filename=\"plain.png\""),
        (
            "?filename=a%22b%5Cc%3B.png",
            "inline; filename=\"a\\\"b\\\\c;.png\"",
        ),
        (
            "?filename=Gr%C3%B6%C3%9Fe%20%F0%9F%98%80.png",
            "inline; filename=\"Gr__e _.png\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%F0%9F%98%80.png",
        ),
        (
            "?filename=a%0D%0ASet-Cookie%3A%20x",
            "inline; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x",
        ),
        ("?filename=", "inline"),
    ] {
        let media = upload_named(&alice, "image/png", query, "x").await;
        let answer = download(&alice, &media).await;
        assert_eq!(answer.header("content-disposition"), expected);
        let renamed = get(&alice, format!("{}/{media}/other%20%C3%A9.png", crate::DOWNLOAD)).await;
        assert_eq!(
            renamed.header("content-disposition"),
            "inline; filename=\"other _.png\"; filename*=UTF-8''other%20%C3%A9.png"
        );
    }
    let long = format!("{UPLOAD}?filename={}", "a".repeat(256));
    refused(
        send(alice.request(Method::POST, long).body("x"))
            .await
            .into_answer(),
        400,
        "M_INVALID_PARAM",
    );
}

#[tokio::test]
async fn who_may_not_act_may_not_upload() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let admin = server.register_admin().await;
    let path = v1(["admin", "suspend", &alice.id]);
    admin.put(path, json!({ "suspended": true })).await.unwrap();
    let post = |who: &echorift_tests::Caller| send(who.request(Method::POST, UPLOAD).body("x"));
    refused(post(&alice).await.into_answer(), 403, "M_USER_SUSPENDED");
    refused(
        post(&server.anonymous()).await.into_answer(),
        401,
        "M_MISSING_TOKEN",
    );
    refused(
        alice.post("/_matrix/media/v1/create", json!({})).await,
        403,
        "M_USER_SUSPENDED",
    );
}

#[tokio::test]
async fn uploads_have_a_rate() {
    let server = TestServer::builder()
        .set("rate_limits.enabled", true)
        .set("rate_limits.media.per_second", 0.01)
        .set("rate_limits.media.burst", 2)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    upload(&alice, "a/b", "1").await;
    upload(&alice, "a/b", "2").await;
    let third = send(alice.request(Method::POST, UPLOAD).body("3")).await;
    refused(third.into_answer(), 429, "M_LIMIT_EXCEEDED");
}

/// Waits for a condition that comes true by itself.
async fn eventually(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it comes true");
}
