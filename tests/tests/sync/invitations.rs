use echorift_tests::{Look as _, TestServer};
use serde_json::json;

use super::state_keys;

#[tokio::test]
async fn an_invitation_shows_the_room_before_one_enters() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    bob.set_display_name("Bob B.").await.unwrap();
    let since = bob.now().await;
    let request = json!({ "name": "Surprise", "topic": "A party", "preset": "private_chat" });
    let room = alice.create_room(request).await.unwrap();
    alice.send_text(&room, "do not tell bob").await.unwrap();
    alice.invite(&room, &bob).await.unwrap();

    for answer in [bob.sync_from(&since).await, bob.sync_all().await] {
        let invite = &answer["rooms"]["invite"][&room];
        let keys = state_keys(invite, "/invite_state/events");
        let own = format!("m.room.member|{}", bob.id);
        for key in [
            "m.room.create|",
            "m.room.join_rules|",
            "m.room.name|",
            own.as_str(),
        ] {
            assert!(keys.contains(&key.to_owned()), "{key} is missing: {keys:?}");
        }
        let events = invite.events("/invite_state/events");
        let member = events
            .iter()
            .find(|event| event["state_key"] == bob.id.as_str())
            .unwrap();
        assert_eq!(
            (member.text("/sender"), member.text("/content/membership")),
            (alice.id.as_str(), "invite")
        );
        assert_eq!(member.text("/content/displayname"), "Bob B.");
        assert!(!answer.to_string().contains("do not tell bob"));
    }
    let since = bob.now().await;
    assert!(
        bob.sync_from(&since).await["rooms"]["invite"]
            .get(&room)
            .is_none(),
        "an invitation comes once"
    );

    bob.join(&room).await.unwrap();
    let answer = bob.sync_from(&since).await;
    assert!(answer["rooms"]["join"][&room].is_object() && answer["rooms"]["invite"].get(&room).is_none());
}

#[tokio::test]
async fn a_declined_invitation_is_gone() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
    let since = bob.now().await;
    bob.leave(&room).await.unwrap();
    let answer = bob.sync_from(&since).await;
    assert!(answer["rooms"]["leave"][&room].is_object(), "{answer}");
    assert!(bob.sync_all().await["rooms"]["invite"].get(&room).is_none());
}

#[tokio::test]
async fn a_knock_waits_in_its_own_section() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let rule = json!({ "type": "m.room.join_rules", "content": { "join_rule": "knock" } });
    let room = alice
        .create_room(json!({ "name": "Club", "initial_state": [rule] }))
        .await
        .unwrap();
    let since = bob.now().await;
    bob.knock(&room).await.unwrap();
    for answer in [bob.sync_from(&since).await, bob.sync_all().await] {
        let knock = &answer["rooms"]["knock"][&room];
        let keys = state_keys(knock, "/knock_state/events");
        assert!(keys.contains(&"m.room.name|".to_owned()), "{keys:?}");
        let events = knock.events("/knock_state/events");
        assert!(
            events
                .iter()
                .any(|event| event["content"]["membership"] == "knock"),
            "{knock}"
        );
    }
    // The others in the room see the knock as what it is.
    let member = alice.state(&room, "m.room.member", &bob.id).await.unwrap();
    assert_eq!(member.text("/membership"), "knock");
    let since = bob.now().await;
    alice.invite(&room, &bob).await.unwrap();
    assert!(bob.sync_from(&since).await["rooms"]["invite"][&room].is_object());
}

#[tokio::test]
async fn invitations_of_ignored_people_do_not_arrive() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    bob.set_account_data(
        "m.ignored_user_list",
        json!({ "ignored_users": { &alice.id: {} } }),
    )
    .await
    .unwrap();
    let since = bob.now().await;
    let room = alice.create_room(json!({ "invite": [bob.id] })).await.unwrap();
    for answer in [bob.sync_from(&since).await, bob.sync_all().await] {
        assert!(answer["rooms"]["invite"].get(&room).is_none(), "{answer}");
    }
}
