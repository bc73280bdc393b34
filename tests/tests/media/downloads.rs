use echorift_tests::{TestServer, refused};
use reqwest::{Method, StatusCode};

use crate::{DOWNLOAD, Raw, download, get, send, upload};

#[tokio::test]
async fn a_content_is_served_so_that_it_can_do_no_harm() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let page = upload(&alice, "text/html", "<script>alert(1)</script>").await;
    let answer = download(&alice, &page).await;
    assert_eq!(answer.header("content-type"), "text/html");
    assert_eq!(answer.header("content-disposition"), "attachment");
    assert_eq!(
        answer.header("content-security-policy"),
        "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; \
         style-src 'unsafe-inline'; object-src 'self';"
    );
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("cache-control").starts_with("private"));
    let drawing = upload(&alice, "image/svg+xml", "<svg/>").await;
    let answer = download(&alice, &drawing).await;
    assert_eq!(answer.header("content-disposition"), "attachment");
    let picture = upload(&alice, "image/png", "no picture at all").await;
    let answer = download(&alice, &picture).await;
    assert_eq!(answer.header("content-disposition"), "inline");
}

#[tokio::test]
async fn what_is_said_to_be_nothing_is_bytes() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let answer = alice.request(Method::POST, crate::UPLOAD).body("x");
    let answer = send(answer).await.into_answer().unwrap();
    let media = crate::media_of(answer["content_uri"].as_str().unwrap());
    let answer = download(&alice, &media).await;
    assert_eq!(answer.header("content-type"), "application/octet-stream");
}

#[tokio::test]
async fn parts_are_served_by_range() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let content: Vec<u8> = (0..1_200_000_u32)
        .map(|n| u8::try_from(n % 253).unwrap())
        .collect();
    let media = upload(&alice, "video/mp4", content.clone()).await;
    let path = format!("{DOWNLOAD}/{media}");
    let ask = async |range: &str| -> Raw {
        let request = alice.request(Method::GET, &path);
        send(request.header("range", range)).await
    };
    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=100-599999", 100, 600_000),
        ("bytes=1199990-", 1_199_990, 1_200_000),
        ("bytes=-10", 1_199_990, 1_200_000),
        ("bytes=1199990-9999999", 1_199_990, 1_200_000),
    ] {
        let part = ask(range).await;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert!(part.body == content[start..end], "{range}");
        let told = format!("bytes {start}-{}/1200000", end - 1);
        assert_eq!(part.header("content-range"), told);
    }
    for whole in ["bytes=5-4", "bytes=0-1,4-5", "lines=1-2"] {
        let answer = ask(whole).await;
        assert_eq!(answer.status, StatusCode::OK, "{whole}");
        assert_eq!(answer.body.len(), content.len());
    }
    let beyond = ask("bytes=1200000-").await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header("content-range"), "bytes */1200000");
}

#[tokio::test]
async fn who_has_it_already_is_told_so() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "text/plain", "known").await;
    let path = format!("{DOWNLOAD}/{media}");
    let etag = download(&alice, &media).await.header("etag").to_owned();
    let ask = async |name: &str, value: &str| {
        let request = alice.request(Method::GET, &path).header("range", "bytes=0-0");
        send(request.header(name, value)).await
    };
    let known = ask("if-none-match", &format!("\"other\", W/{etag}")).await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(known.header("etag"), etag);
    assert_eq!(
        ask("if-none-match", "\"other\"").await.status,
        StatusCode::PARTIAL_CONTENT
    );
    assert_eq!(ask("if-range", &etag).await.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(ask("if-range", "\"other\"").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_head_alone_can_be_asked_for() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "text/plain", "0123456789").await;
    let answer = send(alice.request(Method::HEAD, format!("{DOWNLOAD}/{media}"))).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
    assert_eq!(answer.header("content-length"), "10");
    assert_eq!(answer.header("accept-ranges"), "bytes");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for media in [
        "test.example/nothing",
        "test.example/..%2F..%2Fechorift.toml",
        "test.example/a.b",
    ] {
        refused(download(&alice, media).await.into_answer(), 404, "M_NOT_FOUND");
        let path = format!("{}/{media}?width=32&height=32", crate::THUMBNAIL);
        refused(get(&alice, path).await.into_answer(), 404, "M_NOT_FOUND");
    }
    // No server of that name can be asked.
    refused(
        download(&alice, "elsewhere.example/abc").await.into_answer(),
        502,
        "M_UNKNOWN",
    );
    refused(
        download(&alice, "not%20a%20name/abc").await.into_answer(),
        400,
        "M_INVALID_PARAM",
    );
    refused(
        download(&server.anonymous(), "test.example/nothing")
            .await
            .into_answer(),
        401,
        "M_MISSING_TOKEN",
    );
}
