//! What a server in good standing is answered: the questions that no other story asks by themselves.

use echorift_tests::Look as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::Scene;

fn encoded(text: &str) -> String {
    echorift_tests::path("", &[text])
        .trim_start_matches('/')
        .to_owned()
}

#[tokio::test]
async fn people_and_their_devices_are_told() {
    let scene = Scene::new().await;
    let (peer, server, alice) = (&scene.peer, &scene.server, &scene.alice);
    let user = encoded(&alice.id);
    let profile = peer
        .get(
            server,
            &format!("/_matrix/federation/v1/query/profile?user_id={user}"),
        )
        .await
        .unwrap();
    assert_eq!(profile.text("/displayname"), alice.localpart);
    let nobody = encoded("@nobody:victim.test");
    let refusal = peer
        .get(
            server,
            &format!("/_matrix/federation/v1/query/profile?user_id={nobody}"),
        )
        .await
        .unwrap_err();
    assert_eq!((refusal.status, refusal.errcode.as_str()), (404, "M_NOT_FOUND"));
    let devices = peer
        .get(server, &format!("/_matrix/federation/v1/user/devices/{user}"))
        .await
        .unwrap();
    assert_eq!(devices.text("/user_id"), alice.id);
    assert!(devices["stream_id"].is_number());
    let body = json!({ "device_keys": { &alice.id: [] } });
    let keys = peer
        .ask(
            server,
            Method::POST,
            "/_matrix/federation/v1/user/keys/query",
            Some(body),
        )
        .await
        .unwrap();
    assert!(keys["device_keys"].is_object());
    let body = json!({ "one_time_keys": { &alice.id: { "NODEVICE": "signed_curve25519" } } });
    let claimed = peer
        .ask(
            server,
            Method::POST,
            "/_matrix/federation/v1/user/keys/claim",
            Some(body),
        )
        .await
        .unwrap();
    assert!(claimed["one_time_keys"].is_object());
    let target = "/_matrix/federation/v1/query/weather?city=Kiel";
    assert_eq!(peer.get(server, target).await.unwrap_err().status, 404);
}

#[tokio::test]
async fn tokens_of_openid_name_their_user_once_asked_without_a_signature() {
    let scene = Scene::new().await;
    let (server, alice) = (&scene.server, &scene.alice);
    let path = echorift_tests::v3(["user", &alice.id, "openid", "request_token"]);
    let token = alice.post(path, json!({})).await.unwrap();
    let ask = async |token: &str| {
        let path = format!(
            "/_matrix/federation/v1/openid/userinfo?access_token={}",
            encoded(token)
        );
        server.anonymous().get(path).await
    };
    let told = ask(token.text("/access_token")).await.unwrap();
    assert_eq!(told["sub"], alice.id.as_str());
    let refusal = ask("made-up").await.unwrap_err();
    assert_eq!(
        (refusal.status, refusal.errcode.as_str()),
        (401, "M_UNKNOWN_TOKEN")
    );
}

#[tokio::test]
async fn rooms_are_found_by_alias_and_moments_by_time() {
    let scene = Scene::new().await;
    let (peer, server, alice) = (&scene.peer, &scene.server, &scene.alice);
    let name = format!("#{}:victim.test", echorift_tests::fresh("found"));
    let path = echorift_tests::v3(["directory", "room", &name]);
    alice
        .put(path, json!({ "room_id": scene.room.id }))
        .await
        .unwrap();
    let target = format!(
        "/_matrix/federation/v1/query/directory?room_alias={}",
        encoded(&name)
    );
    let found = peer.get(server, &target).await.unwrap();
    assert_eq!(found.text("/room_id"), scene.room.id);
    let servers: Vec<&Value> = found["servers"].as_array().unwrap().iter().collect();
    assert!(servers.contains(&&json!("victim.test")));
    let said = alice.send_text(&scene.room.id, "here").await.unwrap();
    let target = format!(
        "/_matrix/federation/v1/timestamp_to_event/{}?ts=0&dir=f",
        encoded(&scene.room.id)
    );
    let first = peer.get(server, &target).await.unwrap();
    assert_ne!(first.text("/event_id"), said);
    assert!(first["origin_server_ts"].is_number());
    let target = format!("/_matrix/federation/v1/hierarchy/{}", encoded(&scene.room.id));
    let hierarchy = peer.get(server, &target).await.unwrap();
    assert_eq!(hierarchy.text("/room/room_id"), scene.room.id);
}

#[tokio::test]
async fn invites_by_third_parties_need_their_proof() {
    let scene = Scene::new().await;
    let (peer, server) = (&scene.peer, &scene.server);
    let target = format!(
        "/_matrix/federation/v1/exchange_third_party_invite/{}",
        encoded(&scene.room.id)
    );
    let forged = json!({
        "type": "m.room.member", "room_id": scene.room.id, "sender": scene.alice.id,
        "state_key": peer.user("eve"),
        "content": { "membership": "invite", "third_party_invite": {
            "display_name": "e...", "signed": { "mxid": peer.user("eve"), "token": "none", "signatures": {} },
        } },
    });
    let refusal = peer
        .ask(server, Method::PUT, &target, Some(forged))
        .await
        .unwrap_err();
    assert!(matches!(refusal.status, 400 | 403), "{refusal}");
    let body = json!({ "medium": "email", "address": "eve@x.example", "mxid": "@nobody:victim.test", "invites": [] });
    let answer = server
        .anonymous()
        .put("/_matrix/federation/v1/3pid/onbind".to_owned(), body)
        .await;
    let refusal = answer.expect_err("there is no such user");
    assert!(matches!(refusal.status, 400 | 403 | 404), "{refusal}");
}
