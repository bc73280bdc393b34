use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use echorift_tests::{TestServer, free_port, until};
use reqwest::Method;
use serde_json::json;

use crate::signal::{Signal, administer, holds, open_room};

#[tokio::test]
async fn a_server_with_calls_runs_an_sfu_that_opens_no_rooms_by_itself() {
    let server = TestServer::builder().with_calls().start().await;
    let sfu = server.sfu_is_up().await;
    assert_eq!(sfu.config["room"]["auto_create"], false);
    assert_eq!(sfu.config["bind_addresses"], json!(["127.0.0.1"]));
    let webhooks = format!("{}/livekit/jwt/sfu_webhook", server.base_url());
    assert_eq!(sfu.config["webhook"]["urls"], json!([webhooks]));
    let room = open_room(&sfu).await;
    let rooms = administer(&sfu, "ListRooms", json!({})).await;
    assert_eq!(rooms["rooms"][0]["name"], room);
    let metrics = server
        .anonymous()
        .request(Method::GET, "/metrics")
        .send()
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(
        metrics.contains("echorift_calls_sfu_up{sfu=\"default\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn the_sfus_secret_is_to_be_seen_neither_by_others_nor_in_the_log() {
    let server = TestServer::builder()
        .with_calls()
        .set("log.level", "debug,livekit=trace")
        .start()
        .await;
    let sfu = server.sfu_is_up().await;
    let line = std::fs::read_to_string(format!("/proc/{}/cmdline", sfu.pid)).unwrap();
    assert!(!line.contains("secret"), "{line}");
    let log = server.data_dir().join("livekit.log");
    assert_eq!(
        std::fs::metadata(log).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let logs = until("the SFU's log is folded into the server's", async || {
        let logs = server.logs();
        let is_there =
            |line: &String| line.contains(" livekit: ") && line.contains("starting LiveKit server");
        logs.iter().any(is_there).then_some(logs)
    })
    .await;
    assert!(!logs.join("\n").contains(echorift_tests::SFU_SECRET));
}

#[tokio::test]
async fn a_pair_of_keys_is_made_once_and_kept() {
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.api_key", "")
        .set("calls.livekit.api_secret", "")
        .start()
        .await;
    let first = server.sfu_is_up().await;
    let keys = first.config["keys"].as_object().unwrap();
    let (key, secret) = keys.iter().next().unwrap();
    assert!(key.len() >= 16 && secret.as_str().unwrap().len() >= 40);
    assert!(server.stop().await);
    server.restart().await;
    let second = server.sfu_is_up().await;
    assert_ne!(second.pid, first.pid);
    assert_eq!(second.config, first.config, "keys and ports stay what they were");
}

#[tokio::test]
async fn an_sfu_that_dies_is_started_again_where_clients_know_it() {
    let server = TestServer::builder().with_calls().start().await;
    let first = server.sfu_is_up().await;
    let room = open_room(&first).await;
    let mut client = Signal::join(&server, &room).await;
    first.signal("KILL");
    client.hung_up().await;
    let second = until("there is another SFU", async || {
        server.sfus().into_iter().find(|sfu| sfu.pid != first.pid)
    })
    .await;
    assert_eq!(second.config, first.config);
    server.sfu_is_up().await;
    let room = open_room(&second).await;
    Signal::join(&server, &room).await;
}

#[tokio::test]
async fn stopping_the_server_ends_the_sfu_and_the_calls_in_bounded_time() {
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.drain", "1s")
        .start()
        .await;
    let sfu = server.sfu_is_up().await;
    let room = open_room(&sfu).await;
    let mut client = Signal::join(&server, &room).await;
    let asked = Instant::now();
    assert!(server.stop().await, "the server stops in order");
    assert!(asked.elapsed() > Duration::from_secs(1), "calls have their time");
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    assert!(server.sfus().is_empty(), "nothing is left behind");
    client.hung_up().await;
}

#[tokio::test]
async fn stopping_the_server_does_not_wait_where_nobody_is_in_a_call() {
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.drain", "30m")
        .start()
        .await;
    server.sfu_is_up().await;
    assert!(server.stop().await);
    assert!(server.sfus().is_empty());
}

#[tokio::test]
async fn a_port_that_somebody_has_is_told_with_its_setting_and_taken_when_it_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.port", port)
        .start()
        .await;
    until("the log names port and setting", async || {
        let told = format!("port {port} (calls.livekit.port)");
        server
            .logs()
            .iter()
            .any(|line| line.contains(&told))
            .then_some(())
    })
    .await;
    let health = server.anonymous().get("/health/ready").await.unwrap();
    assert_eq!(
        health,
        json!({ "status": "ready", "sfus": { "default": "down" } })
    );
    let refusal = server.anonymous().get("/livekit/sfu/rtc").await.unwrap_err();
    assert_eq!((refusal.status, refusal.errcode.as_str()), (503, "M_UNKNOWN"));
    drop(taken);
    assert_eq!(server.sfu_is_up().await.config["port"], port);
}

#[tokio::test]
async fn a_program_that_is_no_sfu_keeps_nobody_from_writing_or_the_server_from_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("impostor");
    std::fs::write(&program, "#!/bin/sh\necho 'I would rather not'\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.binary", program.to_str().unwrap())
        .start()
        .await;
    until("its last words are in the log", async || {
        let logs = server.logs().join("\n");
        (logs.contains("I would rather not") && logs.contains("the SFU is down")).then_some(())
    })
    .await;
    let [alice] = server.register(["alice"]).await;
    alice.create_room_with(&[]).await;
    assert!(server.stop().await);
}

#[tokio::test]
async fn an_sfu_that_hangs_is_noticed() {
    let server = TestServer::builder().with_calls().start().await;
    let sfu = server.sfu_is_up().await;
    sfu.signal("STOP");
    until("it is told to be down", async || {
        let health = server.anonymous().get("/health/ready").await.ok()?;
        (health["sfus"]["default"] == "down").then_some(())
    })
    .await;
    sfu.signal("CONT");
    assert_eq!(server.sfu_is_up().await.pid, sfu.pid);
    // One that does not come back to life does not hold up the end of the server.
    sfu.signal("STOP");
    assert!(server.stop().await);
    assert!(server.sfus().is_empty());
}

#[tokio::test]
async fn media_ports_are_as_written() {
    let (tcp, udp) = (free_port(), free_port());
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.rtc_tcp_port", tcp)
        .set("calls.livekit.rtc_udp_ports", udp.to_string())
        .set("calls.livekit.node_ip", "127.0.0.1")
        .set("calls.livekit.region", "europe")
        .start()
        .await;
    let sfu = server.sfu_is_up().await;
    assert_eq!(sfu.config["rtc"]["tcp_port"], tcp);
    assert_eq!(sfu.config["rtc"]["udp_port"], udp);
    assert_eq!(sfu.config["rtc"]["node_ip"], "127.0.0.1");
    assert_eq!(sfu.config["rtc"]["ips"]["includes"][0], "127.0.0.1/32");
    assert_eq!(sfu.config["region"], "europe");
    assert!(
        TcpListener::bind(("127.0.0.1", tcp)).is_err(),
        "the SFU listens there"
    );
}

#[tokio::test]
async fn clients_are_told_of_no_strangers() {
    let server = TestServer::builder().with_calls().start().await;
    let room = open_room(&server.sfu_is_up().await).await;
    let joined = Signal::join(&server, &room).await.joined;
    assert!(holds(&joined, "stun:127.0.0.1:3478"));
    for stranger in ["google", "twilio"] {
        assert!(!holds(&joined, stranger), "{stranger}");
    }
}

#[tokio::test]
async fn clients_are_told_of_the_turn_servers_inside_the_sfu_and_beside_it() {
    let (udp, tls) = (free_port(), free_port());
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.turn.enabled", true)
        .set("calls.livekit.turn.domain", "turn.example.org")
        .set("calls.livekit.turn.udp_port", udp)
        .set("calls.livekit.turn.tls_port", tls)
        .set("calls.livekit.turn.external_tls", true)
        .set("calls.livekit.turn.allowed_peers", json!(["127.0.0.0/8"]))
        .set(
            "calls.turn.uris",
            json!(["turn:coturn.example.org:3479?transport=tcp"]),
        )
        .set("calls.turn.secret", "north")
        .start()
        .await;
    let room = open_room(&server.sfu_is_up().await).await;
    let joined = Signal::join(&server, &room).await.joined;
    for uri in [
        format!("turn:127.0.0.1:{udp}?transport=udp"),
        "turns:turn.example.org:443?transport=tcp".to_owned(),
        "turn:coturn.example.org:3479?transport=tcp".to_owned(),
    ] {
        assert!(holds(&joined, &uri), "{uri}");
    }
    assert!(
        TcpListener::bind(("127.0.0.1", tls)).is_err(),
        "the SFU listens there"
    );
}
