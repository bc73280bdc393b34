//! Addresses that users name must not lead the server to what only it can reach.

use echorift_tests::refused;
use serde_json::json;

use crate::previews::{preview, server};
use crate::site::{Answer, Site};

#[tokio::test]
async fn no_spelling_of_a_denied_address_is_looked_at() {
    let server = server().start().await;
    let [alice] = server.register(["alice"]).await;
    let secret = Site::start("127.0.0.1").await;
    secret.put_page("/", "<title>Secret</title>");
    let port = secret.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "10.0.0.1",
        "①②⑦.0.0.1",
    ] {
        let answer = preview(&alice, &format!("http://{host}:{port}/")).await;
        let refusal = refused(answer, 403, "M_FORBIDDEN");
        assert!(!refusal.body.to_string().contains("Secret"), "{host}");
    }
    assert_eq!(secret.served(), 0);
}

#[tokio::test]
async fn a_redirect_is_judged_like_an_address() {
    let server = server()
        .set("url_previews.deny", json!(["*.denied.example", "127.0.0.2"]))
        .set("outbound.allowed_ip_ranges", json!(["127.0.0.2/31"]))
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let secret = Site::start("127.0.0.1").await;
    secret.put_page("/", "<title>Secret</title>");
    let site = Site::start("127.0.0.3").await;
    let denied = Site::start("127.0.0.2").await;
    denied.put_page("/", "<title>Denied</title>");
    for (path, to) in [
        ("/private", secret.url("/")),
        ("/name", format!("http://localhost:{}/", secret.port())),
        ("/denied", denied.url("/")),
        ("/chain", "/private".to_owned()),
        ("/below", "http://a.denied.example/".to_owned()),
    ] {
        site.put(path, Answer::Redirect(to));
        refused(preview(&alice, &site.url(path)).await, 403, "M_FORBIDDEN");
    }
    site.put("/file", Answer::Redirect("file:///etc/passwd".to_owned()));
    refused(preview(&alice, &site.url("/file")).await, 400, "M_INVALID_PARAM");
    site.put("/circle", Answer::Redirect("/circle".to_owned()));
    refused(preview(&alice, &site.url("/circle")).await, 502, "M_UNKNOWN");
    assert_eq!((secret.served(), denied.served()), (0, 0));

    site.put_page("/there", "<title>There</title>");
    site.put("/here", Answer::Redirect("/there".to_owned()));
    let answer = preview(&alice, &site.url("/here")).await.unwrap();
    assert_eq!(answer, json!({ "og:title": "There" }));
}

#[tokio::test]
async fn only_what_is_allowed_is_looked_at_where_anything_is() {
    let server = server()
        .set("url_previews.allow", json!(["127.0.0.2"]))
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let site = Site::start("127.0.0.2").await;
    site.put_page("/", "<title>Allowed</title>");
    assert_eq!(
        preview(&alice, &site.url("/")).await.unwrap(),
        json!({ "og:title": "Allowed" })
    );
    refused(preview(&alice, "https://example.org/").await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let server = server().start().await;
    let [alice] = server.register(["alice"]).await;
    let too_long = format!("https://example.org/{}", "x".repeat(5_000));
    for wrong in [
        "",
        "nothing",
        "/path",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/",
        "data:text/html,<title>x</title>",
        "javascript:alert(1)",
        "http://user:password@127.0.0.2/",
        "https://",
        &too_long,
    ] {
        refused(preview(&alice, wrong).await, 400, "M_INVALID_PARAM");
    }
}
