use echorift_tests::TestServer;
use reqwest::{Method, StatusCode};

use crate::{Hosting, PAGE_WANTED, ask};

#[tokio::test]
async fn the_page_is_at_the_address_and_at_the_clients_own_routes() {
    let hosting = Hosting::start().await;
    for path in ["/", "/index.html", "/?code=1&state=2"] {
        hosting.get(path).await.is_the_page();
    }
    for path in [
        "/login",
        "/room/!a:example.org",
        "/room/%21a%3Aexample.org/%24event",
        "/servers/%23general%3Aexample.org/",
        "/admin/users",
        "/accounts",
    ] {
        let opened = hosting.open(path).await;
        opened.is_the_page();
        assert_eq!(opened.header("vary"), "Accept");
        let head = hosting.ask(Method::HEAD, path, &[("accept", PAGE_WANTED)]).await;
        assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""), "{path}");
    }
}

#[tokio::test]
async fn who_wants_no_page_learns_that_there_is_nothing() {
    let hosting = Hosting::start().await;
    hosting.get("/login").await.is_unrecognized(StatusCode::NOT_FOUND);
    let json = [("accept", "application/json")];
    hosting
        .ask(Method::GET, "/login", &json)
        .await
        .is_unrecognized(StatusCode::NOT_FOUND);
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        for path in ["/", "/login", "/assets/index-1.js"] {
            let answer = hosting
                .ask(method.clone(), path, &[("accept", PAGE_WANTED)])
                .await;
            answer.is_unrecognized(StatusCode::NOT_FOUND);
        }
    }
}

#[tokio::test]
async fn an_asset_that_is_gone_is_no_page() {
    let hosting = Hosting::start().await;
    for path in ["/assets/index-0.js", "/assets/nothing", "/assets/"] {
        hosting.open(path).await.is_unrecognized(StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_servers_endpoints_stay_the_servers() {
    let hosting = Hosting::start().await;
    for path in [
        "/_matrix/client/v3/nothing",
        "/_matrix/nothing",
        "/_matrix",
        "/_echorift/nothing",
        "/_synapse/nothing",
        "/.well-known/nothing",
        "/livekit/nothing",
        "/health/nothing",
        "/health",
        "/metrics/nothing",
        "/oauth2/nothing",
        "/account/nothing",
        "/%5Fmatrix/client/versions",
        "//_matrix/client/versions",
    ] {
        hosting.open(path).await.is_unrecognized(StatusCode::NOT_FOUND);
    }
    let wrong_method = hosting
        .ask(
            Method::DELETE,
            "/_matrix/client/versions",
            &[("accept", PAGE_WANTED)],
        )
        .await;
    wrong_method.is_unrecognized(StatusCode::METHOD_NOT_ALLOWED);
    let versions = hosting.open("/_matrix/client/versions").await;
    assert_eq!(versions.header("content-type"), "application/json");
    let health = hosting.open("/health/live").await;
    assert_eq!(health.text, r#"{"status":"live"}"#);
}

#[tokio::test]
async fn a_server_without_a_client_says_how_to_get_one() {
    let hosting = Hosting::start().await;
    std::fs::remove_file(hosting.folder.path().join("index.html")).unwrap();
    let answer = hosting.open("/").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.contains("make client"), "{}", answer.text);
    hosting
        .open("/login")
        .await
        .is_unrecognized(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_server_has_a_page_of_its_own() {
    let server = TestServer::shared().await;
    let answer = ask(&server, Method::GET, "/", &[("accept", PAGE_WANTED)]).await;
    // With the client or without, as the server was built.
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.contains("<title>EchoRift"), "{}", answer.text);
}
