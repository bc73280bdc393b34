//! What services have to do with other servers.

use echorift_tests::{TestAuthority, TestServer, free_port, v3};
use serde_json::json;

use crate::{
    encryption::{device_keys, one_time_key},
    keys::{claim, query},
    service::Service,
};

const FAR: &str = "far.example";

/// The service's server and another one.
async fn servers(service: &Service) -> [TestServer; 2] {
    const NEAR: &str = "bridged.example";
    let authority = TestAuthority::new();
    let ports = [free_port(), free_port()];
    let hosts = [(NEAR, ports[0]), (FAR, ports[1])];
    let near = service
        .server(&json!({}))
        .federating_at(&authority, NEAR, ports[0]);
    let far = TestServer::builder().federating_at(&authority, FAR, ports[1]);
    [near.hosts(&hosts).start().await, far.hosts(&hosts).start().await]
}

#[tokio::test]
async fn a_service_is_told_of_invitations_by_other_servers() {
    let service = Service::start().await;
    let [near, far] = servers(&service).await;
    let [zoe] = far.register(["zoe"]).await;
    let ghost = service.make_user("ghost", &near).await;
    let room = zoe
        .create_room(json!({ "preset": "private_chat", "invite": [ghost] }))
        .await
        .unwrap();
    let membership = |wanted: &'static str| {
        let (room, ghost) = (room.clone(), ghost.clone());
        move |service: &Service| {
            service.all("events").into_iter().find(|event| {
                event["room_id"] == room
                    && event["state_key"] == ghost
                    && event["content"]["membership"] == wanted
            })
        }
    };
    let invite = service.wait_for(membership("invite")).await;
    assert_eq!(invite["sender"], zoe.id);
    let join = format!("{}?user_id={ghost}", v3(["join", &room]));
    service.caller(&near).post(join, json!({})).await.unwrap();
    let sent = zoe.send_text(&room, "welcome").await.unwrap();
    service.wait_for_event(&sent).await;
    // Taken back before it was followed.
    let other = zoe
        .create_room(json!({ "preset": "private_chat", "invite": [ghost] }))
        .await
        .unwrap();
    let kick = v3(["rooms", &other, "kick"]);
    zoe.post(kick, json!({ "user_id": ghost })).await.unwrap();
    let told = |service: &Service| {
        let events = service.all("events");
        let of_room = events.iter().filter(|event| event["room_id"] == other);
        let memberships: Vec<String> = of_room
            .map(|event| event["content"]["membership"].to_string())
            .collect();
        (memberships == ["\"invite\"", "\"leave\""]).then_some(())
    };
    service.wait_for(told).await;
}

#[tokio::test]
async fn other_servers_get_keys_that_a_service_keeps() {
    let service = Service::start().await;
    let [near, far] = servers(&service).await;
    let [zoe] = far.register(["zoe"]).await;
    let ghost = service.make_user("ghost", &near).await;
    let key = one_time_key(&ghost, "GHOST");
    let claimed = json!({ &ghost: { "GHOST": { "signed_curve25519:TOLD": key } } });
    service.keeps_keys("claim", claimed);
    let devices = json!({ &ghost: { "GHOST": device_keys(&ghost, "GHOST") } });
    service.keeps_keys("query", json!({ "device_keys": devices }));
    // Nobody shares a room: the other server asks for the keys alone.
    let answer = query(&zoe, &[&ghost]).await;
    assert!(answer["device_keys"][&ghost]["GHOST"].is_object(), "{answer}");
    assert_eq!(claim(&zoe, &ghost).await["signed_curve25519:TOLD"], key);
    // In one room it keeps the whole list.
    let room = zoe.create_public_room().await;
    let join = format!("{}?user_id={ghost}&via={FAR}", v3(["join", &room]));
    service.caller(&near).post(join, json!({})).await.unwrap();
    let answer = query(&zoe, &[&ghost]).await;
    assert!(answer["device_keys"][&ghost]["GHOST"].is_object(), "{answer}");
    assert_eq!(answer["failures"], json!({}), "nothing failed");
}
