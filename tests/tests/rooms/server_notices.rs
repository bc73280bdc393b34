use echorift_tests::{Answer, Caller, Look as _, TestServer, User, refused, v3};
use serde_json::{Value, json};

const PATH: &str = "/_synapse/admin/v1/send_server_notice";

fn notice(to: &User, body: &str) -> Value {
    json!({ "user_id": to.id, "content": { "msgtype": "m.server_notice", "body": body } })
}

async fn send(by: &Caller, to: &User, body: &str) -> Answer {
    by.post(PATH, notice(to, body)).await
}

/// The room to which somebody is invited.
async fn invitation(user: &User) -> String {
    let answer = user.sync_all().await;
    let invited = answer["rooms"]["invite"].as_object().expect("an invitation");
    assert_eq!(invited.len(), 1, "{answer:#}");
    invited.keys().next().unwrap().clone()
}

#[tokio::test]
async fn the_server_writes_to_people_in_one_room_of_their_own() {
    let server = TestServer::builder()
        .set("server_notices.display_name", "The office")
        .set("server_notices.room_name", "News from the office")
        .set("rooms.encryption_by_default", "all")
        .start()
        .await;
    let admin = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    refused(send(&alice, &alice, "me").await, 403, "M_FORBIDDEN");
    refused(
        send(&server.anonymous(), &alice, "me").await,
        401,
        "M_MISSING_TOKEN",
    );
    let nobody = json!({ "user_id": "@nobody:test.example", "content": {} });
    refused(admin.post(PATH, nobody).await, 404, "M_NOT_FOUND");

    send(&admin, &alice, "the lift is broken").await.unwrap();
    let room = invitation(&alice).await;
    // It can be left unread, and not declined.
    refused(alice.leave(&room).await, 403, "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM");
    let leave = json!({ "membership": "leave" });
    let declined = alice.set_state(&room, "m.room.member", &alice.id, leave).await;
    refused(
        declined.map(Value::from),
        403,
        "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM",
    );
    alice.join(&room).await.unwrap();
    let answer = alice.sync_all().await;
    let joined = &answer["rooms"]["join"][&room];
    assert!(
        joined
            .bodies("/timeline/events")
            .contains(&"the lift is broken".to_owned()),
        "{joined:#}"
    );
    let tags = joined.events("/account_data/events");
    assert!(
        tags.iter()
            .any(|event| event["type"] == "m.tag" && event["content"]["tags"]["m.server_notice"].is_object()),
        "{tags:?}"
    );
    let name = alice.state(&room, "m.room.name", "").await.unwrap();
    assert_eq!(name.text("/name"), "News from the office");
    let office = alice
        .state(&room, "m.room.member", "@notices:test.example")
        .await
        .unwrap();
    assert_eq!(office.text("/displayname"), "The office");
    assert_eq!(
        alice
            .state(&room, "m.room.encryption", "")
            .await
            .unwrap_err()
            .status,
        404
    );

    send(&admin, &alice, "the lift works").await.unwrap();
    assert_eq!(alice.newest(&room, 1).await.bodies("/chunk"), ["the lift works"]);
    // Who has left is invited again, to the same room.
    alice.leave(&room).await.unwrap();
    send(&admin, &alice, "one more thing").await.unwrap();
    assert_eq!(invitation(&alice).await, room);
}

#[tokio::test]
async fn a_repeated_request_writes_once() {
    let server = TestServer::shared().await;
    let admin = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    let path = format!("{PATH}/once");
    let first = admin.put(&path, notice(&alice, "hello")).await.unwrap();
    let second = admin.put(&path, notice(&alice, "hello")).await.unwrap();
    assert_eq!(first.text("/event_id"), second.text("/event_id"));
}

#[tokio::test]
async fn suspended_people_may_answer_the_server() {
    let server = TestServer::shared().await;
    let admin = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let elsewhere = alice.create_room_with(&[&bob]).await;
    let suspend = format!("/_matrix/client/v1/admin/suspend/{}", alice.id);
    admin.put(suspend, json!({ "suspended": true })).await.unwrap();
    send(&admin, &alice, "you are suspended").await.unwrap();
    let room = invitation(&alice).await;
    alice.join(&room).await.unwrap();
    alice.send_text(&room, "why?").await.unwrap();
    refused(
        alice.send_text(&elsewhere, "why?").await.map(Value::from),
        403,
        "M_USER_SUSPENDED",
    );
}

#[tokio::test]
async fn nobody_can_be_the_server() {
    let server = TestServer::shared().await;
    let admin = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    send(&admin, &alice, "hello").await.unwrap();
    let login = server.anonymous().log_in("notices", "", json!({})).await;
    refused(login, 403, "M_FORBIDDEN");
    let taken = echorift_tests::register_by_secret(
        &server,
        echorift_tests::SHARED_SECRET,
        "notices",
        "a long password",
        false,
    );
    refused(taken.await, 400, "M_USER_IN_USE");
    let profile = alice.get(v3(["profile", "@notices:test.example"])).await.unwrap();
    assert_eq!(profile.text("/displayname"), "Server notices");
}
