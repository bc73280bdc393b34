use echorift_tests::{Answer, Caller, Look as _, TestServer, User, fresh, refused, v3};
use serde_json::{Value, json};

async fn open_server() -> TestServer {
    TestServer::builder()
        .set("registration.enabled", true)
        .set("registration.without_verification", true)
        .set("registration.allow_guests", true)
        .start()
        .await
}

/// A guest: who they are, and their token.
async fn guest(server: &TestServer) -> (String, Caller) {
    let made = register_guest(server).await.unwrap();
    let id = made.text("/user_id").to_owned();
    (id, server.with_token(made.text("/access_token")))
}

async fn register_guest(server: &TestServer) -> Answer {
    let body = json!({ "initial_device_display_name": "A kiosk", "username": "ignored" });
    server
        .anonymous()
        .post(format!("{}?kind=guest", v3(["register"])), body)
        .await
}

async fn say(who: &Caller, room: &str, body: &str) -> Answer {
    let path = v3(["rooms", room, "send", "m.room.message", &fresh("txn")]);
    who.put(path, json!({ "msgtype": "m.text", "body": body })).await
}

async fn room_for_guests(host: &User) -> String {
    let open =
        json!({ "type": "m.room.guest_access", "state_key": "", "content": { "guest_access": "can_join" } });
    let request = json!({ "preset": "public_chat", "initial_state": [open] });
    host.create_room(request).await.unwrap()
}

#[tokio::test]
async fn there_are_no_guests_unless_the_operator_allows_them() {
    let server = TestServer::shared().await;
    refused(register_guest(&server).await, 403, "M_GUEST_ACCESS_FORBIDDEN");
}

#[tokio::test]
async fn guests_take_part_where_a_room_welcomes_them_and_nowhere_else() {
    let server = open_server().await;
    let [alice] = server.register(["alice"]).await;
    let (open, closed) = (room_for_guests(&alice).await, alice.create_public_room().await);
    let (id, guest) = guest(&server).await;
    assert_ne!(id, "@ignored:test.example");
    assert_eq!(
        guest.get(v3(["account", "whoami"])).await.unwrap()["is_guest"],
        true
    );

    let join = |room: &str| {
        let path = v3(["rooms", room, "join"]);
        let guest = guest.clone();
        async move { guest.post(path, json!({})).await }
    };
    refused(join(&closed).await, 403, "M_GUEST_ACCESS_FORBIDDEN");
    join(&open).await.unwrap();
    say(&guest, &open, "hello").await.unwrap();
    guest
        .get(format!("{}?dir=b", v3(["rooms", &open, "messages"])))
        .await
        .unwrap();
    guest.get("/_matrix/client/v3/sync?timeout=0").await.unwrap();
    let name = json!({ "displayname": "A visitor" });
    guest
        .put(v3(["profile", &id, "displayname"]), name)
        .await
        .unwrap();

    for (path, body) in [
        (v3(["createRoom"]), json!({})),
        (v3(["rooms", &open, "invite"]), json!({ "user_id": alice.id })),
        (v3(["publicRooms"]), json!({})),
        (v3(["user", &id, "filter"]), json!({})),
    ] {
        refused(guest.post(path, body).await, 403, "M_GUEST_ACCESS_FORBIDDEN");
    }
    let picture = json!({ "avatar_url": "mxc://test.example/x" });
    let changed = guest.put(v3(["profile", &id, "avatar_url"]), picture).await;
    refused(changed, 403, "M_GUEST_ACCESS_FORBIDDEN");
    refused(
        guest.get(v3(["capabilities"])).await,
        403,
        "M_GUEST_ACCESS_FORBIDDEN",
    );
    guest
        .post(v3(["rooms", &open, "leave"]), json!({}))
        .await
        .unwrap();
}

#[tokio::test]
async fn guests_go_when_the_room_no_longer_welcomes_them() {
    let server = open_server().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    for by_redaction in [false, true] {
        let room = room_for_guests(&alice).await;
        bob.join(&room).await.unwrap();
        let (id, guest) = guest(&server).await;
        guest.post(v3(["rooms", &room, "join"]), json!({})).await.unwrap();
        if by_redaction {
            let state = alice.get(v3(["rooms", &room, "state"])).await.unwrap();
            let events = state.as_array().unwrap();
            let access = events.iter().find(|event| event["type"] == "m.room.guest_access");
            alice
                .redact(&room, access.unwrap().text("/event_id"))
                .await
                .unwrap();
        } else {
            let forbidden = json!({ "guest_access": "forbidden" });
            alice
                .set_state(&room, "m.room.guest_access", "", forbidden)
                .await
                .unwrap();
        }
        let member = alice.state(&room, "m.room.member", &id).await.unwrap();
        assert_eq!(member.text("/membership"), "leave");
        assert_eq!(bob.membership_seen_by(&alice, &room).await, "join");
        assert_eq!(say(&guest, &room, "still here?").await.unwrap_err().status, 403);
    }
}

#[tokio::test]
async fn a_guest_becomes_a_whole_account_under_the_same_name() {
    let server = open_server().await;
    let (id, guest) = guest(&server).await;
    let localpart = id[1..].split(':').next().unwrap();
    let upgrade = |token: &str, username: &str| {
        let body = json!({
            "username": username, "password": "a long password", "guest_access_token": token,
            "auth": { "type": "m.login.dummy" },
        });
        let anyone = server.anonymous();
        async move { anyone.post(v3(["register"]), body).await }
    };
    let token = guest.token.clone().unwrap();
    assert_eq!(upgrade("nonsense", localpart).await.unwrap_err().status, 403);
    let [alice] = server.register(["alice"]).await;
    let hers = alice.caller.token.clone().unwrap();
    assert_eq!(upgrade(&hers, &alice.localpart).await.unwrap_err().status, 403);
    refused(upgrade(&token, "another").await, 400, "M_INVALID_USERNAME");

    let made = upgrade(&token, localpart).await.unwrap();
    assert_eq!(made.text("/user_id"), id);
    let whole = server.with_token(made.text("/access_token"));
    let who: Value = whole.get(v3(["account", "whoami"])).await.unwrap();
    assert_ne!(who["is_guest"], true);
    whole.post(v3(["createRoom"]), json!({})).await.unwrap();
    server
        .anonymous()
        .log_in(localpart, "a long password", json!({}))
        .await
        .unwrap();
    // Once is enough.
    assert_eq!(upgrade(&token, localpart).await.unwrap_err().status, 403);
}
