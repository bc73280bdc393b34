use echorift_tests::{Look as _, TestServer, refused, until};

use crate::admin;

#[tokio::test]
async fn the_server_tells_what_it_is() {
    let server = TestServer::start().await;
    let root = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    alice.create_room_with(&[]).await;
    let told = root.get(admin(["server"])).await.unwrap();
    assert_eq!(told.text("/name"), server.name());
    assert_eq!((told.number("/users"), told.number("/rooms")), (2, 1));
    assert!(["sqlite", "postgres"].contains(&told.text("/database")));
    assert_eq!(told["directory_enabled"], false);
    assert!(told.number("/started_ts") > 0);
}

#[tokio::test]
async fn the_parts_of_a_server_that_is_well_are_well() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let health = root.get(admin(["server", "health"])).await.unwrap();
    let of = |name: &str| {
        let components = health.list("/components");
        components
            .iter()
            .find(|component| component["name"] == name)
            .cloned()
    };
    assert_eq!(of("database").unwrap().text("/state"), "ok", "{health}");
    assert!(of("search").is_some() && of("disk").is_some(), "{health}");
}

#[tokio::test]
async fn numbers_are_taken_while_the_server_works() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let series = until("a number of requests", async || {
        alice.send_text(&room, "one more").await.unwrap();
        let series = root.get(admin(["server", "series"]) + "?range=1h").await.unwrap();
        let requests = series["series"][0]["values"].as_array().unwrap().iter();
        let is_taken = requests
            .clone()
            .any(|value| value.as_f64().is_some_and(|rate| rate > 0.0));
        is_taken.then_some(series)
    })
    .await;
    let names: Vec<&str> = series
        .list("/series")
        .iter()
        .map(|one| one.text("/name"))
        .collect();
    for name in [
        "requests_per_second",
        "request_p50_ms",
        "request_p95_ms",
        "request_p99_ms",
        "events_per_second",
        "sync_streams",
        "federation_queue",
        "database_commit_ms",
        "memory_bytes",
        "calls_participants",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    assert_eq!(series.number("/step_ms"), 15_000);
    assert!(series.number("/from_ts") > 0);
    for (range, step_ms) in [("24h", 300_000), ("7d", 1_800_000)] {
        let series = root
            .get(format!("{}?range={range}", admin(["server", "series"])))
            .await
            .unwrap();
        assert_eq!(series.number("/step_ms"), step_ms);
    }
    refused(
        root.get(admin(["server", "series"]) + "?range=1y").await,
        400,
        "M_INVALID_PARAM",
    );
}

#[tokio::test]
async fn a_server_without_calls_and_federation_says_so() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let told = root.get(admin(["server"])).await.unwrap();
    assert_eq!(told["calls_enabled"], false);
    refused(root.get(admin(["calls"])).await, 404, "M_UNRECOGNIZED");
    if told["federation_enabled"] == false {
        refused(
            root.get(admin(["federation", "destinations"])).await,
            404,
            "M_UNRECOGNIZED",
        );
    }
}
