use echorift_tests::{Look as _, refused, v3};
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn users_of_a_namespace_are_made_when_somebody_invites_them() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let (known, unknown) = (service.user("known", &server), service.user("unknown", &server));
    service.knows(&known, service.caller(&server));
    let invite = async |user: &str| {
        alice
            .post(v3(["rooms", &room, "invite"]), json!({ "user_id": user }))
            .await
    };
    invite(&known).await.unwrap();
    server.anonymous().get(v3(["profile", &known])).await.unwrap();
    // As for everybody whom a directory may make later, the invite stands.
    invite(&unknown).await.unwrap();
    refused(
        server.anonymous().get(v3(["profile", &unknown])).await,
        404,
        "M_NOT_FOUND",
    );
    assert_eq!(service.asked(), [known.clone(), unknown]);
    // Who is there is not asked for again.
    invite(&known).await.unwrap();
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn rooms_of_a_namespace_are_made_when_somebody_looks_for_them() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let alias = |name: &str| format!("#{}{name}:{}", service.prefix, server.name());
    let (known, unknown) = (alias("known"), alias("unknown"));
    service.knows(&known, service.caller(&server));
    let joined = alice.post(v3(["join", &known]), json!({})).await.unwrap();
    let directory = |alias: &str| v3(["directory", "room", alias]);
    let found = alice.get(directory(&known)).await.unwrap();
    assert_eq!(found.text("/room_id"), joined.text("/room_id"));
    refused(alice.get(directory(&unknown)).await, 404, "M_NOT_FOUND");
    let free = format!("#free:{}", server.name());
    refused(alice.get(directory(&free)).await, 404, "M_NOT_FOUND");
    assert_eq!(service.asked(), [known, unknown]);
}

#[tokio::test]
async fn third_party_networks_are_those_of_the_services() {
    let service = Service::start().await;
    let server = service.server(&json!({ "protocols": ["irc"] })).start().await;
    let [alice] = server.register(["alice"]).await;
    let protocols = alice.get(v3(["thirdparty", "protocols"])).await.unwrap();
    assert_eq!(protocols.text("/irc/instances/0/network_id"), "irc");
    let protocol = alice.get(v3(["thirdparty", "protocol", "irc"])).await.unwrap();
    assert_eq!(protocol.text("/instances/0/desc"), "irc");
    refused(
        alice.get(v3(["thirdparty", "protocol", "sms"])).await,
        404,
        "M_NOT_FOUND",
    );
    let people = alice
        .get(format!("{}?nick=ann", v3(["thirdparty", "user", "irc"])))
        .await
        .unwrap();
    assert_eq!(people.text("/0/userid"), "@ann:there");
    refused(
        alice.get(v3(["thirdparty", "location", "irc"])).await,
        404,
        "M_NOT_FOUND",
    );
}

#[tokio::test]
async fn rooms_of_a_network_have_a_directory_of_their_own() {
    let service = Service::start().await;
    let server = service.server(&json!({ "protocols": ["irc"] })).start().await;
    let [alice] = server.register(["alice"]).await;
    let room = async |request: Value| alice.create_room(request).await.unwrap();
    let (open, bridged) = (
        room(json!({ "name": "open", "visibility": "public" })).await,
        room(json!({ "name": "bridged" })).await,
    );
    let protocols = alice.get(v3(["thirdparty", "protocols"])).await.unwrap();
    let network = protocols.text("/irc/instances/0/instance_id").to_owned();
    let list = |room: &str| v3(["directory", "list", "appservice", "irc", room]);
    let listed = async |wanted: Value| {
        let found = alice.post(v3(["publicRooms"]), wanted).await.unwrap();
        let rooms = found.list("/chunk").iter();
        let rooms: Vec<String> = rooms.map(|room| room.text("/room_id").to_owned()).collect();
        assert_eq!(found["total_room_count_estimate"], rooms.len());
        rooms
    };
    let of_network = json!({ "third_party_instance_id": network });
    let of_all = json!({ "include_all_networks": true });
    assert!(listed(of_network.clone()).await.is_empty());
    let public = json!({ "visibility": "public" });
    refused(
        alice.put(list(&bridged), public.clone()).await,
        403,
        "M_FORBIDDEN",
    );
    let caller = service.caller(&server);
    let nowhere = list(&format!("!nowhere:{}", server.name()));
    refused(caller.put(nowhere, public.clone()).await, 404, "M_NOT_FOUND");
    for _ in 0..2 {
        caller.put(list(&bridged), public.clone()).await.unwrap();
    }
    assert_eq!(listed(of_network.clone()).await, std::slice::from_ref(&bridged));
    assert_eq!(listed(json!({})).await, std::slice::from_ref(&open));
    assert_eq!(listed(of_all.clone()).await, [open.clone(), bridged.clone()]);
    assert!(
        listed(json!({ "third_party_instance_id": "irc" }))
            .await
            .is_empty()
    );
    caller
        .put(list(&bridged), json!({ "visibility": "private" }))
        .await
        .unwrap();
    assert!(listed(of_network).await.is_empty());
    assert_eq!(listed(of_all).await, [open]);
}
