use std::time::Duration;

use echorift_tests::{TestAuthority, TestServer, refused, sfu_token};
use reqwest::{Method, StatusCode, Version};
use serde_json::json;
use tokio::net::TcpStream;

use crate::signal::{Signal, administer, ask_for_upgrade, holds, open_room};

#[tokio::test]
async fn a_client_joins_by_the_servers_own_address_and_hears_the_sfu() {
    let server = TestServer::builder().with_calls().start().await;
    let sfu = server.sfu_is_up().await;
    let room = open_room(&sfu).await;
    let mut alice = Signal::join(&server, &room).await;
    let mut bob = Signal::join(&server, &room).await;
    for topic in ["first", "second"] {
        let update = json!({ "room": room, "metadata": topic });
        administer(&sfu, "UpdateRoomMetadata", update).await;
        for client in [&mut alice, &mut bob] {
            while !holds(&client.message().await, topic) {}
        }
    }
    let participants = administer(&sfu, "ListParticipants", json!({ "room": room })).await;
    assert_eq!(participants["participants"].as_array().unwrap().len(), 2);
    drop(alice);
    while !holds(&bob.message().await, "somebody") {}
}

#[tokio::test]
async fn a_connection_outlives_what_limits_requests() {
    let server = TestServer::builder()
        .with_calls()
        .set("limits.idle_timeout", "500ms")
        .set("limits.body_timeout", "500ms")
        .start()
        .await;
    let sfu = server.sfu_is_up().await;
    let room = open_room(&sfu).await;
    let mut client = Signal::join(&server, &room).await;
    // The one thing that can only be shown by letting time pass.
    tokio::time::sleep(Duration::from_secs(2)).await;
    administer(
        &sfu,
        "UpdateRoomMetadata",
        json!({ "room": room, "metadata": "still here" }),
    )
    .await;
    while !holds(&client.message().await, "still here") {}
}

#[tokio::test]
async fn tls_and_both_versions_of_http_lead_to_the_sfu() {
    let authority = TestAuthority::new();
    let server = TestServer::builder()
        .with_calls()
        .with_tls(&authority)
        .start()
        .await;
    let sfu = server.sfu_is_up().await;
    let room = open_room(&sfu).await;
    let mut client = Signal::join_by_tls(&server, &authority, &room).await;
    administer(
        &sfu,
        "UpdateRoomMetadata",
        json!({ "room": room, "metadata": "by TLS" }),
    )
    .await;
    while !holds(&client.message().await, "by TLS") {}

    let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([root])
        .build()
        .unwrap();
    let token = sfu_token("carol", &json!({ "room": room, "roomJoin": true }));
    let url = format!(
        "https://localhost:{}/livekit/sfu/rtc/validate?access_token={token}",
        server.tls_port()
    );
    let answer = http.get(url).send().await.unwrap();
    assert_eq!(
        (answer.version(), answer.status()),
        (Version::HTTP_2, StatusCode::OK)
    );
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.text().await.unwrap(), "success");
}

#[tokio::test]
async fn the_sfu_itself_judges_tokens_and_rooms() {
    let server = TestServer::builder().with_calls().start().await;
    server.sfu_is_up().await;
    let validate = async |token: &str| {
        let path = format!("/livekit/sfu/rtc/validate?access_token={token}");
        let answer = server
            .anonymous()
            .request(Method::GET, path)
            .send()
            .await
            .unwrap();
        answer.status().as_u16()
    };
    assert_eq!(validate("").await, 401);
    assert_eq!(validate("a.b.c").await, 401);
    // Nobody has opened this room.
    let token = sfu_token("mallory", &json!({ "room": "nowhere", "roomJoin": true }));
    assert_eq!(validate(&token).await, 404);
}

#[tokio::test]
async fn nothing_of_the_sfu_is_shown_but_where_clients_connect() {
    let server = TestServer::builder().with_calls().start().await;
    server.sfu_is_up().await;
    let anybody = server.anonymous();
    for path in [
        "/livekit/sfu",
        "/livekit/sfu/",
        "/livekit/sfu/twirp/livekit.RoomService/ListRooms",
        "/livekit/sfu/rtc/../twirp/livekit.RoomService/ListRooms",
        "/livekit/sfu/rtc/%2e%2e/twirp/livekit.RoomService/ListRooms",
        "/livekit/sfu/rtc%2f..%2ftwirp",
        "/livekit/sfu//rtc",
        "/livekit/sfu/rtc/",
        "/livekit/sfu/rtc/v2",
        "/livekit/sfu/agent",
        "/livekit/sfu/whip/v1",
        "/livekit/sfu/debug/pprof",
        "/livekit/sfu/metrics",
    ] {
        // As it is written: a library would tidy the path up.
        let mut stream = TcpStream::connect(server.base_url().replace("http://", ""))
            .await
            .unwrap();
        let head = ask_for_upgrade(&mut stream, path, "").await;
        assert!(head.starts_with("HTTP/1.1 404"), "{path}: {head}");
    }
    for path in ["/livekit/sfu/rtc", "/livekit/sfu/rtc/v1"] {
        refused(anybody.post(path, json!({})).await, 405, "M_UNRECOGNIZED");
    }
}
