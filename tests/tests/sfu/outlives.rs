use echorift_tests::{TestServer, until};

use crate::signal::{Signal, open_room};

#[tokio::test]
async fn calls_outlive_a_killed_server_and_the_next_start_takes_the_sfu_over() {
    let server = TestServer::builder().with_calls().start().await;
    let sfu = server.sfu_is_up().await;
    let room = open_room(&sfu).await;
    server.kill();

    // It goes on answering, and writing what it has to say: nobody reads it, and it must not die of that.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..3 {
        let answer = client
            .get(format!("{}/rtc/validate", sfu.api_url()))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401);
    }
    let health = client.get(sfu.api_url()).send().await.unwrap();
    assert_eq!(health.status(), 200);

    server.restart().await;
    assert_eq!(server.sfu_is_up().await.pid, sfu.pid, "it is the same process");
    Signal::join(&server, &room).await;
}

#[tokio::test]
async fn an_sfu_that_was_taken_over_is_started_again_and_ended_like_any_other() {
    let server = TestServer::builder().with_calls().start().await;
    let first = server.sfu_is_up().await;
    server.kill();
    server.restart().await;
    server.sfu_is_up().await;
    first.signal("KILL");
    let second = until("there is another SFU", async || {
        server.sfus().into_iter().find(|sfu| sfu.pid != first.pid)
    })
    .await;
    server.sfu_is_up().await;
    server.kill();
    server.restart().await;
    assert_eq!(server.sfu_is_up().await.pid, second.pid);
    assert!(server.stop().await);
    assert!(server.sfus().is_empty());
}

#[tokio::test]
async fn an_sfu_with_settings_of_yesterday_is_replaced() {
    let server = TestServer::builder().with_calls().start().await;
    let first = server.sfu_is_up().await;
    server.kill();
    server.set("calls.livekit.region", "elsewhere");
    server.restart().await;
    let second = until("there is another SFU", async || {
        server.sfus().into_iter().find(|sfu| sfu.pid != first.pid)
    })
    .await;
    assert_eq!(second.config["region"], "elsewhere");
    assert_eq!(second.config["port"], first.config["port"]);
    assert_eq!(server.sfu_is_up().await.pid, second.pid, "the first has ended");
}

#[tokio::test]
async fn an_sfu_that_is_not_wanted_any_more_is_ended() {
    let server = TestServer::builder().with_calls().start().await;
    server.sfu_is_up().await;
    server.kill();
    server.set("calls.livekit.mode", "off");
    server.restart().await;
    until("it has ended", async || server.sfus().is_empty().then_some(())).await;
}

#[tokio::test]
async fn calls_can_outlive_a_stop() {
    let server = TestServer::builder()
        .with_calls()
        .set("calls.livekit.keep_on_stop", true)
        .start()
        .await;
    let sfu = server.sfu_is_up().await;
    let room = open_room(&sfu).await;
    assert!(server.stop().await);
    assert_eq!(server.sfu().pid, sfu.pid);
    server.restart().await;
    assert_eq!(server.sfu_is_up().await.pid, sfu.pid);
    Signal::join(&server, &room).await;
}
