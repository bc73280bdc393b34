use echorift_tests::{Look as _, TestServer, User, assert_agreement, refused, until};
use serde_json::json;

crate::both_ways!(
    who_is_invited_joins_and_both_sides_talk,
    an_invitation_can_be_declined_and_taken_back,
    members_leave_are_kicked_and_come_back,
    who_is_banned_is_out_until_unbanned,
    knocks_are_heard_and_answered,
    whoever_may_not_join_is_refused,
    the_last_one_of_a_server_may_come_back,
);

/// A room of the near server's with somebody from each side.
pub(crate) async fn shared_room(alice: &User, bob: &User) -> String {
    let room = alice.create_public_room().await;
    bob.join_via(&room, &alice.server).await.unwrap();
    alice.sees_membership(&room, bob, "join").await;
    room
}

async fn who_is_invited_joins_and_both_sides_talk(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let request = json!({ "preset": "private_chat", "name": "Plans", "topic": "Between us" });
    let room = alice.create_room(request).await.unwrap();
    alice
        .set_state(
            &room,
            "m.room.history_visibility",
            "",
            json!({ "history_visibility": "shared" }),
        )
        .await
        .unwrap();
    let earlier = alice.send_text(&room, "before you came").await.unwrap();
    alice.invite(&room, &bob).await.unwrap();
    bob.is_invited(&room).await;
    let invitation = bob.sync_all().await["rooms"]["invite"][&room]["invite_state"].clone();
    assert!(
        invitation
            .events("/events")
            .iter()
            .any(|event| event["type"] == "m.room.name" && event["content"]["name"] == "Plans"),
        "who is invited sees the room's name: {invitation:#}"
    );
    bob.join(&room).await.unwrap();
    alice.sees_membership(&room, &bob, "join").await;
    let hello = alice.send_text(&room, "welcome").await.unwrap();
    bob.sees(&room, &hello).await;
    let answer = bob.send_text(&room, "thank you").await.unwrap();
    alice.sees(&room, &answer).await;
    assert_eq!(
        bob.event(&room, &hello).await.unwrap().text("/content/body"),
        "welcome"
    );
    assert_eq!(alice.event(&room, &answer).await.unwrap().text("/sender"), bob.id);
    bob.sees(&room, &earlier).await;
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn an_invitation_can_be_declined_and_taken_back(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = alice
        .create_room(json!({ "preset": "private_chat" }))
        .await
        .unwrap();
    alice.invite(&room, &bob).await.unwrap();
    bob.is_invited(&room).await;
    bob.leave(&room).await.unwrap();
    alice.sees_membership(&room, &bob, "leave").await;
    until("the invitation is gone", async || {
        bob.sync_all().await["rooms"]["invite"][&room]
            .is_null()
            .then_some(())
    })
    .await;

    alice.invite(&room, &bob).await.unwrap();
    bob.is_invited(&room).await;
    alice.kick(&room, &bob).await.unwrap();
    until("the invitation is gone", async || {
        bob.sync_all().await["rooms"]["invite"][&room]
            .is_null()
            .then_some(())
    })
    .await;
    assert!(bob.join_via(&room, near).await.is_err());
    assert_eq!(bob.membership_seen_by(&alice, &room).await, "leave");
}

async fn members_leave_are_kicked_and_come_back(near: &TestServer, far: &TestServer) {
    let [alice] = near.register(["alice"]).await;
    let [bob, carol] = far.register(["bob", "carol"]).await;
    let room = shared_room(&alice, &bob).await;
    carol.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &carol, "join").await;
    bob.sees_membership(&room, &carol, "join").await;

    carol.leave(&room).await.unwrap();
    alice.sees_membership(&room, &carol, "leave").await;
    carol.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &carol, "join").await;

    alice.kick(&room, &carol).await.unwrap();
    bob.sees_membership(&room, &carol, "leave").await;
    refused(
        carol.send_text(&room, "still here").await.map(Into::into),
        403,
        "M_FORBIDDEN",
    );
    carol.join_via(&room, near).await.unwrap();
    let event = carol.send_text(&room, "back").await.unwrap();
    alice.sees(&room, &event).await;
    assert_agreement(&room, &[&alice, &bob, &carol]).await;
}

async fn who_is_banned_is_out_until_unbanned(near: &TestServer, far: &TestServer) {
    let [alice] = near.register(["alice"]).await;
    let [bob, carol] = far.register(["bob", "carol"]).await;
    let room = shared_room(&alice, &bob).await;
    carol.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &carol, "join").await;
    alice.ban(&room, &carol).await.unwrap();
    bob.sees_membership(&room, &carol, "ban").await;
    refused(
        carol.send_text(&room, "still here").await.map(Into::into),
        403,
        "M_FORBIDDEN",
    );
    assert_eq!(carol.join_via(&room, near).await.unwrap_err().status, 403);
    alice.unban(&room, &carol).await.unwrap();
    bob.sees_membership(&room, &carol, "leave").await;
    carol.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &carol, "join").await;
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn knocks_are_heard_and_answered(near: &TestServer, far: &TestServer) {
    let [alice] = near.register(["alice"]).await;
    let [bob, carol] = far.register(["bob", "carol"]).await;
    let request = json!({
        "preset": "private_chat",
        "initial_state": [{ "type": "m.room.join_rules", "content": { "join_rule": "knock" } }],
    });
    let room = alice.create_room(request).await.unwrap();
    for knocker in [&bob, &carol] {
        knocker.knock_via(&room, near).await.unwrap();
        alice.sees_membership(&room, knocker, "knock").await;
        assert!(knocker.sync_all().await["rooms"]["knock"][&room].is_object());
    }
    alice.invite(&room, &bob).await.unwrap();
    bob.is_invited(&room).await;
    bob.join(&room).await.unwrap();
    alice.sees_membership(&room, &bob, "join").await;
    alice.kick(&room, &carol).await.unwrap();
    bob.sees_membership(&room, &carol, "leave").await;
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn whoever_may_not_join_is_refused(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = alice
        .create_room(json!({ "preset": "private_chat" }))
        .await
        .unwrap();
    refused(bob.join_via(&room, near).await, 403, "M_FORBIDDEN");
    assert!(bob.sync_all().await["rooms"]["join"][&room].is_null());
    let refusal = bob.join_via("!nowhere:localhost", near).await.unwrap_err();
    assert!(refusal.status >= 400 && !refusal.errcode.is_empty(), "{refusal}");
}

async fn the_last_one_of_a_server_may_come_back(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    bob.leave(&room).await.unwrap();
    alice.sees_membership(&room, &bob, "leave").await;
    // What is said and changed meanwhile, the far server does not hear.
    for number in 0..5 {
        alice.send_text(&room, &format!("alone {number}")).await.unwrap();
    }
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "Nobody here" }))
        .await
        .unwrap();
    bob.join_via(&room, near).await.unwrap();
    bob.sees_state(&room, "m.room.topic", "", "/topic", "Nobody here")
        .await;
    alice.sees_membership(&room, &bob, "join").await;
    let event = alice.send_text(&room, "together again").await.unwrap();
    bob.sees(&room, &event).await;
    assert_agreement(&room, &[&alice, &bob]).await;
}
