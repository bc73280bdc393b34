use echorift_tests::{Look as _, TestServer, assert_agreement, refused, until, v3};
use serde_json::json;

use crate::membership::shared_room;

crate::both_ways!(
    redactions_reach_the_other_side,
    moderators_redact_what_others_wrote,
    power_is_given_and_used_across,
    state_of_all_kinds_is_shared,
    a_room_is_upgraded_and_followed,
    edits_reactions_and_threads_are_the_same_on_both_sides,
    names_and_pictures_follow_people_into_rooms,
);

async fn redactions_reach_the_other_side(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    for (writer, reader) in [(&alice, &bob), (&bob, &alice)] {
        let slip = writer.send_text(&room, "a slip of the tongue").await.unwrap();
        reader.sees(&room, &slip).await;
        let redaction = writer.redact(&room, &slip).await.unwrap();
        reader.sees(&room, &redaction).await;
        let event = until("the event is redacted", async || {
            let event = reader.event(&room, &slip).await.ok()?;
            event["content"]["body"].is_null().then_some(event)
        })
        .await;
        assert_eq!(event.text("/unsigned/redacted_because/event_id"), redaction);
    }
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn moderators_redact_what_others_wrote(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    let rude = bob.send_text(&room, "something rude").await.unwrap();
    alice.sees(&room, &rude).await;
    alice.redact(&room, &rude).await.unwrap();
    until("the event is redacted for its sender", async || {
        let event = bob.event(&room, &rude).await.ok()?;
        event["content"]["body"].is_null().then_some(())
    })
    .await;
    let polite = alice.send_text(&room, "something polite").await.unwrap();
    bob.sees(&room, &polite).await;
    refused(
        bob.redact(&room, &polite).await.map(Into::into),
        403,
        "M_FORBIDDEN",
    );
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn power_is_given_and_used_across(near: &TestServer, far: &TestServer) {
    let [alice] = near.register(["alice"]).await;
    let [bob, carol] = far.register(["bob", "carol"]).await;
    let room = shared_room(&alice, &bob).await;
    carol.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &carol, "join").await;
    refused(
        bob.set_state(&room, "m.room.name", "", json!({ "name": "Bob's" }))
            .await
            .map(Into::into),
        403,
        "M_FORBIDDEN",
    );
    let mut levels = alice.state(&room, "m.room.power_levels", "").await.unwrap();
    levels["users"][&bob.id] = json!(50);
    alice
        .set_state(&room, "m.room.power_levels", "", levels.clone())
        .await
        .unwrap();
    until("the far server knows of the power", async || {
        let levels = bob.state(&room, "m.room.power_levels", "").await.ok()?;
        (levels["users"][&bob.id] == 50).then_some(())
    })
    .await;
    bob.set_state(&room, "m.room.name", "", json!({ "name": "Bob's" }))
        .await
        .unwrap();
    alice.sees_state(&room, "m.room.name", "", "/name", "Bob's").await;
    bob.kick(&room, &carol).await.unwrap();
    alice.sees_membership(&room, &carol, "leave").await;
    levels["users"][&bob.id] = json!(0);
    alice
        .set_state(&room, "m.room.power_levels", "", levels)
        .await
        .unwrap();
    until("the far server knows that the power is gone", async || {
        let levels = bob.state(&room, "m.room.power_levels", "").await.ok()?;
        (levels["users"][&bob.id] == 0).then_some(())
    })
    .await;
    refused(
        bob.set_state(&room, "m.room.name", "", json!({ "name": "Still Bob's" }))
            .await
            .map(Into::into),
        403,
        "M_FORBIDDEN",
    );
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn state_of_all_kinds_is_shared(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    for (kind, state_key, content) in [
        ("m.room.name", "", json!({ "name": "Räume — 部屋 🏠" })),
        (
            "m.room.topic",
            "",
            json!({ "topic": "\u{0}\u{1f} \"quotes\" \\ / \u{2028} é" }),
        ),
        ("m.room.avatar", "", json!({ "url": "mxc://example.org/a" })),
        (
            "org.example.deep",
            "a/b c",
            json!({ "a": { "b": [1, -1, { "c": null }], "": true } }),
        ),
        (
            "org.example.large",
            "",
            json!({ "n": 9_007_199_254_740_991_i64, "m": -9_007_199_254_740_991_i64 }),
        ),
        ("org.example.empty", "", json!({})),
    ] {
        let id = alice
            .set_state(&room, kind, state_key, content.clone())
            .await
            .unwrap();
        bob.sees(&room, &id).await;
        assert_eq!(
            bob.state(&room, kind, state_key).await.unwrap(),
            content,
            "{kind}"
        );
    }
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn a_room_is_upgraded_and_followed(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let request = json!({ "preset": "public_chat", "room_version": "10", "name": "Old" });
    let room = alice.create_room(request).await.unwrap();
    bob.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &bob, "join").await;
    let upgrade = alice
        .post(v3(["rooms", &room, "upgrade"]), json!({ "new_version": "12" }))
        .await
        .unwrap();
    let replacement = upgrade.text("/replacement_room");
    bob.sees_state(&room, "m.room.tombstone", "", "/replacement_room", replacement)
        .await;
    bob.join_via(replacement, near).await.unwrap();
    alice.sees_membership(replacement, &bob, "join").await;
    let create = bob.state(replacement, "m.room.create", "").await.unwrap();
    assert_eq!(create.text("/predecessor/room_id"), room);
    assert_eq!(create.text("/room_version"), "12");
    bob.sees_state(replacement, "m.room.name", "", "/name", "Old")
        .await;
    assert_agreement(&room, &[&alice, &bob]).await;
    assert_agreement(replacement, &[&alice, &bob]).await;
}

async fn edits_reactions_and_threads_are_the_same_on_both_sides(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    let root = alice.send_text(&room, "what shall we eat?").await.unwrap();
    bob.sees(&room, &root).await;
    let in_thread = bob.send_in_thread(&room, &root, "soup").await.unwrap();
    let reaction = bob.react(&room, &root, "🍲").await.unwrap();
    let edit = alice.edit(&room, &root, "what shall we cook?").await.unwrap();
    for (reader, id) in [(&alice, &in_thread), (&alice, &reaction), (&bob, &edit)] {
        reader.sees(&room, id).await;
    }
    for reader in [&alice, &bob] {
        let related = reader.relations(&room, &root).await.unwrap();
        let mut ids = related.ids("/chunk");
        ids.sort();
        let mut wanted = vec![in_thread.clone(), reaction.clone(), edit.clone()];
        wanted.sort();
        assert_eq!(ids, wanted, "{}", reader.id);
    }
    assert_agreement(&room, &[&alice, &bob]).await;
}

async fn names_and_pictures_follow_people_into_rooms(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let room = shared_room(&alice, &bob).await;
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let name = format!("The great {}", one.localpart);
        one.set_display_name(&name).await.unwrap();
        other
            .sees_state(&room, "m.room.member", &one.id, "/displayname", &name)
            .await;
        let profile = other.get(v3(["profile", &one.id])).await.unwrap();
        assert_eq!(profile.text("/displayname"), name);
    }
    let refusal = bob
        .get(v3(["profile", &format!("@nobody-at-all:{}", near.name())]))
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 404, "{refusal}");
    assert_agreement(&room, &[&alice, &bob]).await;
}
