use echorift_tests::{Look as _, TestServer, path, refused, v3};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn clients_find_the_server_and_learn_its_versions() {
    let server = TestServer::shared().await;
    let anyone = server.anonymous();
    let found = anyone.get("/.well-known/matrix/client").await.unwrap();
    assert!(found.text("/m.homeserver/base_url").starts_with("http"));
    let versions = anyone.get("/_matrix/client/versions").await.unwrap();
    let claimed = versions.list("/versions");
    assert_eq!(claimed.len(), 19, "{versions}");
    assert_eq!(claimed.last().unwrap(), "v1.19");
    assert!(versions["unstable_features"].is_object());
}

#[tokio::test]
async fn people_learn_whom_to_turn_to() {
    let server = TestServer::builder()
        .set("support.email", "help@example.org")
        .start()
        .await;
    let found = server.anonymous().get("/.well-known/matrix/support").await;
    let contact = json!({ "role": "m.role.admin", "email_address": "help@example.org" });
    assert_eq!(found.unwrap(), json!({ "contacts": [contact] }));

    // A document without a contact would say nothing.
    let silent = TestServer::shared().await;
    let found = silent.anonymous().get("/.well-known/matrix/support").await;
    refused(found, 404, "M_NOT_FOUND");
}

#[tokio::test]
async fn clients_can_show_whose_server_this_is() {
    let server = TestServer::shared().await;
    let anyone = server.anonymous();
    let found = anyone.get("/_matrix/federation/v1/version").await.unwrap();
    assert_eq!(found.text("/server/name"), "EchoRift");
    assert!(!found.text("/server/version").is_empty());
}

#[tokio::test]
async fn claimed_features_answer_at_the_paths_of_their_proposals() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let versions = alice.get("/_matrix/client/versions").await.unwrap();
    for name in [
        "org.matrix.msc3030",
        "uk.half-shot.msc2666.query_mutual_rooms",
        "uk.tcpip.msc4133",
    ] {
        assert_eq!(versions["unstable_features"][name], true, "{name}");
    }
    let unstable = |parts: &[&str]| path("/_matrix/client/unstable", parts);

    let moment = unstable(&["org.matrix.msc3030", "rooms", &room, "timestamp_to_event"]);
    let first = alice.get(moment + "?ts=0&dir=f").await.unwrap();
    let event = alice.event(&room, first.text("/event_id")).await.unwrap();
    assert_eq!(event["type"], "m.room.create");

    let mutual = unstable(&["uk.half-shot.msc2666", "user", "mutual_rooms"]);
    let shared = alice.get(format!("{mutual}?user_id={}", bob.id)).await.unwrap();
    assert_eq!(shared["joined"], json!([room]));

    let zone = json!({ "m.tz": "Europe/Berlin" });
    let field = unstable(&["uk.tcpip.msc4133", "profile", &alice.id, "m.tz"]);
    alice.put(&field, zone.clone()).await.unwrap();
    assert_eq!(bob.get(&field).await.unwrap(), zone);
    let whole = bob.get(v3(["profile", &alice.id])).await.unwrap();
    assert_eq!(whole["m.tz"], "Europe/Berlin");
}

#[tokio::test]
async fn capabilities_name_every_room_version() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let answer = alice.get(v3(["capabilities"])).await.unwrap();
    let versions = &answer["capabilities"]["m.room_versions"];
    assert_eq!(versions["default"], "12");
    for version in 1..=12 {
        assert_eq!(
            versions["available"][version.to_string()],
            "stable",
            "version {version}"
        );
    }
    assert_eq!(answer["capabilities"]["m.change_password"]["enabled"], true);
    refused(
        server.anonymous().get(v3(["capabilities"])).await,
        401,
        "M_MISSING_TOKEN",
    );
}

#[tokio::test]
async fn browsers_may_call_from_anywhere() {
    let server = TestServer::shared().await;
    let anyone = server.anonymous();
    let preflight = anyone
        .request(Method::OPTIONS, v3(["sync"]))
        .send()
        .await
        .unwrap();
    assert!(preflight.status().is_success());
    let refusal = anyone.request(Method::GET, v3(["sync"])).send().await.unwrap();
    assert_eq!(refusal.status(), 401);
    for response in [preflight, refusal] {
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "*");
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            assert!(
                headers["access-control-allow-methods"]
                    .to_str()
                    .unwrap()
                    .contains(method)
            );
        }
        for name in ["X-Requested-With", "Content-Type", "Authorization"] {
            assert!(
                headers["access-control-allow-headers"]
                    .to_str()
                    .unwrap()
                    .contains(name)
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_unrecognized() {
    let server = TestServer::shared().await;
    let anyone = server.anonymous();
    refused(
        anyone.get("/_matrix/client/v3/no_such_thing").await,
        404,
        "M_UNRECOGNIZED",
    );
    refused(anyone.get("/nothing/here").await, 404, "M_UNRECOGNIZED");
    refused(anyone.delete(v3(["login"])).await, 405, "M_UNRECOGNIZED");
}

#[tokio::test]
async fn the_server_tells_its_health_and_its_metrics() {
    let server = TestServer::shared().await;
    let anyone = server.anonymous();
    for path in ["/health/live", "/health/ready"] {
        anyone.get(path).await.unwrap();
    }
    let metrics = anyone.get("/metrics").await.unwrap();
    assert!(metrics.as_str().unwrap().contains("echorift_"), "{metrics}");
}
