use echorift_tests::{Answer as Reply, Caller, Look as _, ServerBuilder, TestServer, path, refused, v1};
use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, Site};
use crate::{download, images, send};

/// Where the sites of these tests are: the one address of the own machine that the server may look at.
const PERMITTED: &str = "127.0.0.2";

pub(crate) fn server() -> ServerBuilder {
    TestServer::builder().set("outbound.allowed_ip_ranges", json!(["127.0.0.2/32"]))
}

pub(crate) fn query(url: &str) -> String {
    // Percent-encodes what is one part of a path.
    format!("{}?url={}", v1(["media", "preview_url"]), &path("", &[url])[1..])
}

pub(crate) async fn preview(who: &Caller, url: &str) -> Reply {
    who.get(query(url)).await
}

#[tokio::test]
async fn a_page_is_described_by_its_own_words() {
    let server = server().start().await;
    let [alice] = server.register(["alice"]).await;
    let site = Site::start(PERMITTED).await;
    let picture = images::png(640, 480);
    site.put_file("/pic.png", "image/png", picture.clone());
    site.put_page(
        "/a",
        r#"<html><head><meta property="og:title" content="A &amp; B">
           <meta property="og:description" content="All about them">
           <meta property="og:image" content="/pic.png"><meta property="og:image:width" content="1">"#,
    );
    let answer = preview(&alice, &site.url("/a#part")).await.unwrap();
    assert_eq!(answer.text("/og:title"), "A & B");
    assert_eq!(answer.text("/og:description"), "All about them");
    assert_eq!(answer.text("/og:image:type"), "image/png");
    assert_eq!(
        (&answer["og:image:width"], &answer["og:image:height"]),
        (&json!(640), &json!(480))
    );
    assert_eq!(answer["matrix:image:size"], picture.len());
    let media = crate::media_of(answer.text("/og:image"));
    assert!(download(&alice, &media).await.body == picture);
    let legacy = format!(
        "/_matrix/media/v3/preview_url?{}",
        query(&site.url("/a")).split_once('?').unwrap().1
    );
    assert_eq!(alice.get(legacy).await.unwrap(), answer);
    refused(
        preview(&server.anonymous(), &site.url("/a")).await,
        401,
        "M_MISSING_TOKEN",
    );
}

#[tokio::test]
async fn a_page_without_marks_is_described_all_the_same() {
    let server = server().start().await;
    let [alice] = server.register(["alice"]).await;
    let site = Site::start(PERMITTED).await;
    site.put_file(
        "/latin",
        "text/html; charset=iso-8859-1",
        b"<title>Gr\xfc\xdfe</title>",
    );
    let answer = preview(&alice, &site.url("/latin")).await.unwrap();
    assert_eq!(answer, json!({ "og:title": "Grüße" }));
    site.put_page(
        "/card",
        r#"<meta name="twitter:title" content="T"><meta name=description content=D>"#,
    );
    let answer = preview(&alice, &site.url("/card")).await.unwrap();
    assert_eq!(answer, json!({ "og:title": "T", "og:description": "D" }));
    site.put_file(
        "/oembed.json",
        "application/json",
        r#"{"title": "Clip", "provider_name": "Tube"}"#,
    );
    site.put_page(
        "/clip",
        r#"<link rel="alternate" type="application/json+oembed" href="oembed.json">"#,
    );
    let answer = preview(&alice, &site.url("/clip")).await.unwrap();
    assert_eq!(answer, json!({ "og:title": "Clip", "og:site_name": "Tube" }));
    site.put_file("/thing", "application/zip", "PK");
    assert_eq!(preview(&alice, &site.url("/thing")).await.unwrap(), json!({}));
}

#[tokio::test]
async fn a_picture_is_its_own_preview() {
    let server = server().start().await;
    let [alice] = server.register(["alice"]).await;
    let site = Site::start(PERMITTED).await;
    site.put_file("/pic", "image/jpeg", images::turned_jpeg(200, 100));
    let answer = preview(&alice, &site.url("/pic")).await.unwrap();
    assert_eq!(
        (&answer["og:image:width"], &answer["og:image:height"]),
        (&json!(100), &json!(200))
    );
    // What only says that it is a picture is not kept.
    site.put_file("/page", "image/png", "<html><script>alert(1)</script>");
    assert_eq!(preview(&alice, &site.url("/page")).await.unwrap(), json!({}));
    site.put_file("/drawing", "image/svg+xml", "<svg/>");
    assert_eq!(preview(&alice, &site.url("/drawing")).await.unwrap(), json!({}));
    site.put_file("/bomb", "image/png", images::claimed_png(50_000, 50_000));
    assert_eq!(preview(&alice, &site.url("/bomb")).await.unwrap(), json!({}));
}

#[tokio::test]
async fn a_page_is_asked_once_for_all() {
    let server = server().start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let site = Site::start(PERMITTED).await;
    site.put_page("/once", "<title>Once</title>");
    let url = site.url("/once");
    let ask = |who| preview(who, &url);
    let answers = tokio::join!(ask(&alice), ask(&bob), ask(&alice), ask(&bob));
    assert_eq!(answers.0.unwrap(), answers.3.unwrap());
    ask(&bob).await.unwrap();
    server.kill();
    server.restart().await;
    ask(&bob).await.unwrap();
    assert_eq!(site.served(), 1);
    // In another language it is another page.
    let request = alice
        .request(Method::GET, query(&url))
        .header("accept-language", "de, en;q=0.5");
    let answer: Value = send(request).await.into_answer().unwrap();
    assert_eq!(answer.text("/og:title"), "Once");
    assert_eq!(site.served(), 2);
    assert!(site.last_request().contains("accept-language: de, en;q=0.5"));
    // A page that failed is left alone for a while, too.
    for _ in 0..2 {
        refused(preview(&bob, &site.url("/missing")).await, 404, "M_NOT_FOUND");
    }
    assert_eq!(site.served(), 3);
}

#[tokio::test]
async fn a_page_is_read_to_its_limit_and_no_further() {
    let server = server()
        .set("url_previews.timeout", "60s")
        .set("url_previews.max_page", "100KiB")
        .set("url_previews.max_image", "50KiB")
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let site = Site::start(PERMITTED).await;
    let endless = |content_type: &str| Answer::Endless {
        content_type: content_type.to_owned(),
    };
    site.put("/endless", endless("text/html"));
    assert_eq!(preview(&alice, &site.url("/endless")).await.unwrap(), json!({}));
    site.put("/endless-image", endless("image/png"));
    refused(
        preview(&alice, &site.url("/endless-image")).await,
        502,
        "M_UNKNOWN",
    );
    let long = format!("<title>Long</title>{}", "<p>x".repeat(100_000));
    site.put_file("/long", "text/html", long);
    let answer = preview(&alice, &site.url("/long")).await.unwrap();
    assert_eq!(answer, json!({ "og:title": "Long" }));
    // A bad image does not cost the words.
    for image in ["/endless-image", "/missing", "http://127.0.0.1:1/x.png"] {
        let path = format!("/with-image?{}", image.len());
        let page = format!("<title>Words</title><meta property='og:image' content='{image}'>");
        site.put_page(&path, page);
        let answer = preview(&alice, &site.url(&path)).await.unwrap();
        assert_eq!(answer, json!({ "og:title": "Words" }), "{image}");
    }
    site.put("/broken", Answer::Status(500));
    refused(preview(&alice, &site.url("/broken")).await, 502, "M_UNKNOWN");
}

#[tokio::test]
async fn a_silent_page_is_given_up() {
    let server = server().set("url_previews.timeout", "100ms").start().await;
    let [alice] = server.register(["alice"]).await;
    let site = Site::start(PERMITTED).await;
    site.put("/silent", Answer::Silence);
    refused(preview(&alice, &site.url("/silent")).await, 502, "M_UNKNOWN");
}

#[tokio::test]
async fn previews_can_be_turned_off() {
    let off = TestServer::builder()
        .set("url_previews.enabled", false)
        .start()
        .await;
    let [alice] = off.register(["alice"]).await;
    refused(preview(&alice, "https://example.org/").await, 403, "M_FORBIDDEN");
    let capability = "/capabilities/io.element.msc4452.preview_url/enabled";
    let told = alice.get("/_matrix/client/v3/capabilities").await.unwrap();
    assert_eq!(told.pointer(capability), Some(&json!(false)));

    let on = TestServer::shared().await;
    let [bob] = on.register(["bob"]).await;
    let told = bob.get("/_matrix/client/v3/capabilities").await.unwrap();
    assert_eq!(told.pointer(capability), Some(&json!(true)));
}
