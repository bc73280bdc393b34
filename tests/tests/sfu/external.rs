//! SFUs that others run: here one that another server manages.

use echorift_tests::{SFU_KEY, SFU_SECRET, TestServer, free_port, run_cli, until};
use serde_json::{Value, json};

fn sfu(name: &str, api_url: &str) -> Value {
    json!({
        "name": name, "region": name, "url": format!("wss://{name}.example.org"), "api_url": api_url,
        "api_key": SFU_KEY, "api_secret": SFU_SECRET,
    })
}

#[tokio::test]
async fn several_sfus_are_watched_each_by_itself_and_a_dead_one_holds_up_nothing() {
    let owner = TestServer::builder().with_calls().start().await;
    let running = owner.sfu_is_up().await;
    let dead = format!("http://127.0.0.1:{}", free_port());
    let server = TestServer::builder()
        .set("calls.livekit.mode", "external")
        .set(
            "calls.livekit.server",
            json!([sfu("eu", &running.api_url()), sfu("us", &dead)]),
        )
        .start()
        .await;
    until("both were asked", async || {
        let health = server.anonymous().get("/health/ready").await.unwrap();
        (health["sfus"] == json!({ "eu": "up", "us": "down" })).then_some(())
    })
    .await;
    assert!(server.sfus().is_empty(), "it runs none of its own");
    echorift_tests::refused(
        server.anonymous().get("/livekit/sfu/rtc").await,
        404,
        "M_UNRECOGNIZED",
    );
    let [alice] = server.register(["alice"]).await;
    alice.create_room_with(&[]).await;
}

#[tokio::test]
async fn check_says_which_sfu_answers_and_knows_the_key() {
    let owner = TestServer::builder().with_calls().start().await;
    let running = owner.sfu_is_up().await;
    let mut stranger = sfu("us", &running.api_url());
    stranger["api_secret"] = "another secret, of more than thirty-two".into();
    let server = TestServer::builder()
        .set("calls.livekit.mode", "external")
        .set(
            "calls.livekit.server",
            json!([
                sfu("eu", &running.api_url()),
                stranger,
                sfu("asia", "http://127.0.0.1:1")
            ]),
        )
        .start()
        .await;
    let config = server.config_file();
    let checked = run_cli(["check", "--config", config.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(!checked.status.success(), "{told}");
    assert!(
        told.contains("ok       the SFU wss://eu.example.org answers"),
        "{told}"
    );
    assert!(told.contains("is well, but does not do as asked"), "{told}");
    assert!(
        told.contains("FAULT    the SFU at http://127.0.0.1:1 is not well"),
        "{told}"
    );
    assert!(!told.contains(SFU_SECRET), "{told}");
}

#[tokio::test]
async fn check_looks_at_the_program_and_the_ports_of_a_managed_sfu() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.port", port)
        .set("calls.livekit.node_ip", "10.9.8.7")
        .start()
        .await;
    server.kill();
    let config = server.config_file();
    let checked = run_cli(["check", "--config", config.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(told.contains("livekit-server version 1."), "{told}");
    assert!(
        told.contains(&format!("warning  port {port} (calls.livekit.port)")),
        "{told}"
    );
    assert!(told.contains("clients send media to 10.9.8.7"), "{told}");
}

#[tokio::test]
async fn check_finds_nothing_wrong_with_a_server_that_finds_no_sfu() {
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.binary", "no-such-livekit-server")
        .start()
        .await;
    server.kill();
    let config = server.config_file();
    let checked = run_cli(["check", "--config", config.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        told.contains("warning  there will be no calls: the program \"no-such-livekit-server\""),
        "{told}"
    );
    assert!(checked.status.success(), "{told}");
}
