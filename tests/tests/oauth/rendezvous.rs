use echorift_tests::{Look as _, TestServer, refused};
use reqwest::{Method, Response};
use serde_json::json;

const NEW: &str = "/_matrix/client/unstable/io.element.msc4388/rendezvous";
const OLD: &str = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";

#[tokio::test]
async fn two_devices_leave_messages_for_each_other() {
    let server = TestServer::shared().await;
    let anyone = server.anonymous();
    assert_eq!(
        anyone.get(NEW).await.unwrap(),
        json!({ "create_available": true })
    );
    let opened = anyone.post(NEW, json!({ "data": "hello" })).await.unwrap();
    assert!((120_000..=300_000).contains(&opened.number("/expires_in_ms")));
    let path = format!("{NEW}/{}", opened.text("/id"));
    let first = opened.text("/sequence_token");
    let read = anyone.get(&path).await.unwrap();
    assert_eq!(
        (read.text("/data"), read.text("/sequence_token")),
        ("hello", first)
    );
    let message = |token: &str, data: &str| json!({ "sequence_token": token, "data": data });
    let second = anyone.put(&path, message(first, "hi")).await.unwrap();
    // A repeated write is the same write; another one comes too late.
    assert_eq!(anyone.put(&path, message(first, "hi")).await.unwrap(), second);
    refused(
        anyone.put(&path, message(first, "me too")).await,
        409,
        "M_CONCURRENT_WRITE",
    );
    let long = "x".repeat(4097);
    refused(
        anyone
            .put(&path, message(second.text("/sequence_token"), &long))
            .await,
        413,
        "M_TOO_LARGE",
    );
    refused(
        anyone.post(NEW, json!({ "data": long })).await,
        413,
        "M_TOO_LARGE",
    );
    let browsing = anyone
        .request(Method::GET, &path)
        .header("sec-fetch-mode", "navigate");
    assert_eq!(browsing.send().await.unwrap().status(), 403);
    anyone.delete(&path).await.unwrap();
    refused(anyone.get(&path).await, 404, "M_NOT_FOUND");
    refused(anyone.delete(&path).await, 404, "M_NOT_FOUND");
}

#[tokio::test]
async fn today_s_clients_meet_by_etags() {
    let server = TestServer::shared().await;
    let anyone = server.anonymous();
    let send =
        async |method: Method, path: &str, header: Option<(&str, &str)>, text: Option<&'static str>| {
            let mut request = anyone.request(method, path);
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            if let Some(text) = text {
                request = request.header("content-type", "text/plain").body(text);
            }
            request.send().await.unwrap()
        };
    let etag = |response: &Response| response.headers()["etag"].to_str().unwrap().to_owned();
    let opened = send(Method::POST, OLD, None, Some("hello")).await;
    assert_eq!(opened.status(), 201);
    assert_eq!(opened.headers()["access-control-expose-headers"], "ETag");
    let first = etag(&opened);
    let body: serde_json::Value = opened.json().await.unwrap();
    let (_, id) = body.text("/url").rsplit_once('/').unwrap();
    let path = format!("{OLD}/{id}");

    let unchanged = send(Method::GET, &path, Some(("if-none-match", &first)), None).await;
    assert_eq!(unchanged.status(), 304);
    let read = send(Method::GET, &path, None, None).await;
    assert_eq!(read.headers()["content-type"], "text/plain");
    assert_eq!(read.headers()["x-content-type-options"], "nosniff");
    assert_eq!(read.text().await.unwrap(), "hello");
    let written = send(Method::PUT, &path, Some(("if-match", &first)), Some("hi")).await;
    assert_eq!(written.status(), 202);
    let late = send(Method::PUT, &path, Some(("if-match", &first)), Some("me too")).await;
    assert_eq!((late.status().as_u16(), etag(&late)), (412, etag(&written)));
    let unguarded = send(Method::PUT, &path, None, Some("me too")).await;
    assert_eq!(unguarded.status(), 400);
    let html = anyone
        .request(Method::POST, OLD)
        .header("content-type", "text/html")
        .body("<b>");
    assert_eq!(html.send().await.unwrap().status(), 400);
    assert_eq!(send(Method::DELETE, &path, None, None).await.status(), 204);
    assert_eq!(send(Method::GET, &path, None, None).await.status(), 404);
}
