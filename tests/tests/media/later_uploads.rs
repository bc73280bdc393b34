use echorift_tests::{Look as _, TestServer, User, refused};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{DOWNLOAD, Raw, download, get, images, media_of, send};

const CREATE: &str = "/_matrix/media/v1/create";

async fn create(user: &User) -> String {
    let answer = user.post(CREATE, json!({})).await.expect("media can be created");
    assert!(answer.number("/unused_expires_at") > 1_600_000_000_000);
    media_of(answer.text("/content_uri"))
}

async fn put(user: &User, media: &str, content: impl Into<reqwest::Body>) -> Raw {
    let path = format!("/_matrix/media/v3/upload/{media}?filename=late.png");
    let request = user
        .request(Method::PUT, path)
        .header("content-type", "image/png");
    send(request.body(content)).await
}

#[tokio::test]
async fn created_media_is_uploaded_once_and_by_its_creator() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let media = create(&alice).await;
    refused(put(&bob, &media, "x").await.into_answer(), 403, "M_FORBIDDEN");
    assert_eq!(
        put(&alice, &media, "content").await.into_answer().unwrap(),
        json!({})
    );
    let answer = download(&bob, &media).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, &b"content"[..]));
    assert_eq!(
        answer.header("content-disposition"),
        "inline; filename=\"late.png\""
    );
    refused(
        put(&alice, &media, "again").await.into_answer(),
        409,
        "M_CANNOT_OVERWRITE_MEDIA",
    );
    refused(
        put(&alice, "test.example/neverCreated", "x").await.into_answer(),
        404,
        "M_NOT_FOUND",
    );
    refused(
        put(&alice, "elsewhere.example/abc", "x").await.into_answer(),
        404,
        "M_NOT_FOUND",
    );
}

#[tokio::test]
async fn of_two_uploads_at_once_one_wins() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = create(&alice).await;
    let (one, two) = tokio::join!(
        put(&alice, &media, vec![1_u8; 500_000]),
        put(&alice, &media, vec![2_u8; 500_000])
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let winner = if one.status == 200 { 1 } else { 2 };
    assert!(download(&alice, &media).await.body == vec![winner; 500_000]);
}

#[tokio::test]
async fn who_asks_too_early_waits_for_the_upload() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let media = create(&alice).await;
    let path = format!("{DOWNLOAD}/{media}?timeout_ms=0");
    refused(get(&bob, path).await.into_answer(), 504, "M_NOT_YET_UPLOADED");
    let thumbnail = format!("{}/{media}?width=32&height=32&timeout_ms=0", crate::THUMBNAIL);
    refused(
        get(&bob, thumbnail).await.into_answer(),
        504,
        "M_NOT_YET_UPLOADED",
    );

    let waiting = format!("{DOWNLOAD}/{media}?timeout_ms=30000");
    let waiting = {
        let bob = bob.clone();
        tokio::spawn(async move { get(&bob, waiting).await })
    };
    let thumbnail = {
        let (bob, media) = (bob.clone(), media.clone());
        tokio::spawn(async move { crate::thumbnail(&bob, &media, "width=32&height=32&method=crop").await })
    };
    let picture = images::png(100, 100);
    assert_eq!(put(&alice, &media, picture.clone()).await.status, StatusCode::OK);
    assert!(waiting.await.unwrap().body == picture);
    assert_eq!(thumbnail.await.unwrap().image().width(), 32);
}

#[tokio::test]
async fn what_is_not_uploaded_in_time_is_gone() {
    let server = TestServer::builder()
        .set("media.pending_upload_lifetime", "1ms")
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let media = create(&alice).await;
    // The millisecond passes by itself.
    while download_now(&alice, &media).await.status == StatusCode::GATEWAY_TIMEOUT {}
    refused(put(&alice, &media, "x").await.into_answer(), 404, "M_NOT_FOUND");
    refused(
        download_now(&alice, &media).await.into_answer(),
        404,
        "M_NOT_FOUND",
    );
}

async fn download_now(user: &User, media: &str) -> Raw {
    get(user, format!("{DOWNLOAD}/{media}?timeout_ms=0")).await
}

#[tokio::test]
async fn nobody_announces_without_end() {
    let server = TestServer::builder()
        .set("media.pending_uploads", 2)
        .start()
        .await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let first = create(&alice).await;
    create(&alice).await;
    refused(alice.post(CREATE, json!({})).await, 429, "M_LIMIT_EXCEEDED");
    create(&bob).await;
    put(&alice, &first, "now it counts no longer").await;
    create(&alice).await;
}
