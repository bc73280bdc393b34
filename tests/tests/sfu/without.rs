use echorift_tests::{TestServer, refused};

/// Calls are one feature of many: without the program of the SFU everything else is there.
#[tokio::test]
async fn a_server_that_finds_no_sfu_says_so_in_one_line_and_does_without() {
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.binary", "no-such-livekit-server")
        .start()
        .await;
    let logs = server.logs();
    let told: Vec<&String> = logs.iter().filter(|line| line.contains("livekit")).collect();
    assert_eq!(told.len(), 1, "{logs:?}");
    assert!(told[0].contains("no-such-livekit-server") && told[0].contains("calls.livekit.binary"));
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "we can still write").await.unwrap();
    refused(
        server.anonymous().get("/livekit/sfu/rtc").await,
        404,
        "M_UNRECOGNIZED",
    );
}

#[tokio::test]
async fn calls_can_be_off() {
    let server = TestServer::start().await;
    refused(
        server.anonymous().get("/livekit/sfu/rtc").await,
        404,
        "M_UNRECOGNIZED",
    );
    assert!(server.sfus().is_empty());
}
