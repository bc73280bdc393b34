//! What is said in a room while a server is not in it is there, in its place, once somebody of that server is back.

use echorift_tests::{Look as _, Sync, TestServer, User, until, v3};
use serde_json::{Value, json};

use crate::network::Network;

crate::both_ways!(
    what_was_said_meanwhile_is_read_in_its_place,
    a_long_absence_is_read_page_by_page_and_forwards,
    each_of_several_absences_has_its_place,
    what_was_removed_meanwhile_is_removed,
    history_of_members_alone_stays_theirs,
    both_kinds_of_sync_stop_at_a_gap,
    the_surroundings_of_what_is_found_end_at_a_gap,
);

/// Sends so many texts; their ids.
async fn say(user: &User, room: &str, word: &str, count: usize) -> Vec<String> {
    let mut sent = Vec::with_capacity(count);
    for number in 0..count {
        sent.push(user.send_text(room, &format!("{word} {number}")).await.unwrap());
    }
    sent
}

/// A public room of alice's that bob has been in and has left; what was said in it, and the id of bob's leaving.
async fn left_room(alice: &User, bob: &User, near: &TestServer) -> (String, Vec<String>) {
    let room = alice.create_public_room().await;
    bob.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, bob, "join").await;
    let mut said = say(alice, &room, "old", 3).await;
    bob.sees(&room, &said[2]).await;
    said.push(bob.send_text(&room, "good bye").await.unwrap());
    alice.sees(&room, &said[3]).await;
    leave(alice, bob, &room).await;
    (room, said)
}

async fn leave(alice: &User, bob: &User, room: &str) {
    bob.leave(room).await.unwrap();
    alice.sees_membership(room, bob, "leave").await;
}

async fn come_back(alice: &User, bob: &User, room: &str, near: &TestServer) {
    bob.join_via(room, near).await.unwrap();
    alice.sees_membership(room, bob, "join").await;
}

/// Pages on from a token until the end; the ids of the messages in the order in which they came.
async fn read_on(user: &User, room: &str, direction: &str, limit: usize, from: Option<&str>) -> Vec<String> {
    let mut from = from.map(ToOwned::to_owned);
    let mut messages = Vec::new();
    loop {
        let token = from.as_deref().map(encoded).unwrap_or_default();
        let page = user
            .messages(room, &format!("dir={direction}&limit={limit}{token}"))
            .await
            .unwrap();
        messages.extend(messages_in(&page.events("/chunk")));
        match page["end"].as_str() {
            // Forwards there is always a place to go on from.
            Some(end) if direction == "b" || !page.list("/chunk").is_empty() => from = Some(end.to_owned()),
            _ => return messages,
        }
    }
}

fn encoded(token: &str) -> String {
    format!("&from={token}")
}

fn messages_in(events: &[Value]) -> Vec<String> {
    let messages = events.iter().filter(|event| event["type"] == "m.room.message");
    messages.map(|event| event.text("/event_id").to_owned()).collect()
}

fn reversed(mut ids: Vec<String>) -> Vec<String> {
    ids.reverse();
    ids
}

/// The room in an initial sync with so many events of its timeline.
async fn synced(user: &User, room: &str, limit: usize) -> Value {
    let filter = json!({ "room": { "timeline": { "limit": limit } } });
    let options = Sync {
        filter: Some(filter),
        ..Sync::default()
    };
    let answer = user.sync(options).await.unwrap();
    answer["rooms"]["join"][room].clone()
}

async fn what_was_said_meanwhile_is_read_in_its_place(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let (room, mut said) = left_room(&alice, &bob, near).await;
    said.extend(say(&alice, &room, "meanwhile", 15).await);
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "meanwhile" }))
        .await
        .unwrap();
    said.extend(say(&alice, &room, "later", 15).await);
    come_back(&alice, &bob, &room, near).await;
    let last = alice.send_text(&room, "welcome back").await.unwrap();
    bob.sees(&room, &last).await;
    said.push(last.clone());

    let timeline = synced(&bob, &room, 50).await;
    assert_eq!(timeline["timeline"]["limited"], true, "{timeline:#}");
    let shown = messages_in(&timeline.events("/timeline/events"));
    assert_eq!(
        shown,
        [last.as_str()],
        "what is below the gap is not shown as if nothing had been between"
    );
    let before = read_on(&bob, &room, "b", 7, Some(timeline.text("/timeline/prev_batch"))).await;
    let mut read = reversed(before);
    read.extend(shown);
    assert_eq!(read, said);

    // Now that it is here, everything is as if the server had never been away.
    assert_eq!(reversed(read_on(&bob, &room, "b", 50, None).await), said);
    assert_eq!(read_on(&bob, &room, "f", 9, None).await, said);
    let timeline = synced(&bob, &room, 50).await;
    assert_eq!(messages_in(&timeline.events("/timeline/events")), said);
    let whole = bob.whole_history(&room).await.unwrap();
    let topic = whole
        .iter()
        .position(|event| event["content"]["topic"] == "meanwhile")
        .unwrap();
    assert_eq!(whole[topic - 1].text("/content/body"), "later 0");
    assert_eq!(whole[topic + 1].text("/content/body"), "meanwhile 14");
    let again = bob.timeline_ids(&room).await.unwrap();
    assert_eq!(again.len(), whole.len(), "nothing is there twice");
    echorift_tests::assert_agreement(&room, &[&alice, &bob]).await;
}

async fn a_long_absence_is_read_page_by_page_and_forwards(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let (room, mut said) = left_room(&alice, &bob, near).await;
    let oldest = said[0].clone();
    // More than another server gives at a time.
    said.extend(say(&alice, &room, "meanwhile", 230).await);
    come_back(&alice, &bob, &room, near).await;
    let last = alice.send_text(&room, "welcome back").await.unwrap();
    bob.sees(&room, &last).await;
    said.push(last);

    // The surroundings of what is below the gap end there, and reading on from them crosses it.
    let path = format!("{}?limit=40", v3(["rooms", &room, "context", &oldest]));
    let context = bob.get(path).await.unwrap();
    let after = messages_in(&context.events("/events_after"));
    assert_eq!(after, said[1..4], "{context:#}");
    let mut read = vec![oldest];
    read.extend(after);
    let mut from = context.text("/end").to_owned();
    loop {
        let page = bob
            .messages(&room, &format!("dir=f&limit=60{}", encoded(&from)))
            .await
            .unwrap();
        read.extend(messages_in(&page.events("/chunk")));
        let Some(end) = page["end"].as_str() else { break };
        assert_ne!(end, page.text("/start"), "clients would take it for the end");
        from = end.to_owned();
    }
    assert_eq!(read, said);
    assert_eq!(reversed(read_on(&bob, &room, "b", 45, None).await), said);
}

async fn each_of_several_absences_has_its_place(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let (room, mut said) = left_room(&alice, &bob, near).await;
    for round in 0..3 {
        said.extend(say(&alice, &room, &format!("absence {round}"), 12).await);
        come_back(&alice, &bob, &room, near).await;
        let mine = bob
            .send_text(&room, &format!("here for the moment {round}"))
            .await
            .unwrap();
        alice.sees(&room, &mine).await;
        said.push(mine);
        leave(&alice, &bob, &room).await;
    }
    // Nothing happens while bob is out: then there is no gap.
    come_back(&alice, &bob, &room, near).await;
    let timeline = synced(&bob, &room, 20).await;
    let shown = messages_in(&timeline.events("/timeline/events"));
    assert_eq!(shown, said[said.len() - 1..]);
    assert_eq!(reversed(read_on(&bob, &room, "b", 10, None).await), said);
    assert_eq!(read_on(&bob, &room, "f", 10, None).await, said);
    echorift_tests::assert_agreement(&room, &[&alice, &bob]).await;
}

async fn what_was_removed_meanwhile_is_removed(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let (room, said) = left_room(&alice, &bob, near).await;
    alice.redact(&room, &said[1]).await.unwrap();
    let edited = alice.send_text(&room, "with a mistake").await.unwrap();
    say(&alice, &room, "meanwhile", 5).await;
    come_back(&alice, &bob, &room, near).await;
    let edit = alice.edit(&room, &edited, "without one").await.unwrap();
    bob.sees(&room, &edit).await;
    assert_eq!(
        bob.event(&room, &said[1]).await.unwrap().text("/content/body"),
        "old 1",
        "nobody has told it otherwise yet"
    );
    bob.whole_history(&room).await.unwrap();
    let removed = bob.event(&room, &said[1]).await.unwrap();
    assert_eq!(removed["content"], json!({}));
    let corrected = bob.event(&room, &edited).await.unwrap();
    let replaced = "/unsigned/m.relations/m.replace/content/m.new_content/body";
    assert_eq!(corrected.text(replaced), "without one");
}

async fn history_of_members_alone_stays_theirs(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let (room, mut said) = left_room(&alice, &bob, near).await;
    let joined = json!({ "history_visibility": "joined" });
    alice
        .set_state(&room, "m.room.history_visibility", "", joined)
        .await
        .unwrap();
    let secret = say(&alice, &room, "among ourselves", 12).await;
    come_back(&alice, &bob, &room, near).await;
    let last = alice.send_text(&room, "welcome back").await.unwrap();
    bob.sees(&room, &last).await;
    said.push(last);
    assert_eq!(reversed(read_on(&bob, &room, "b", 5, None).await), said);
    assert_eq!(read_on(&bob, &room, "f", 5, None).await, said);
    for id in secret {
        bob.event(&room, &id).await.unwrap_err();
    }
}

async fn both_kinds_of_sync_stop_at_a_gap(near: &TestServer, far: &TestServer) {
    let ([alice], [bob, carol]) = (
        near.register(["alice"]).await,
        far.register(["bob", "carol"]).await,
    );
    let room = alice.create_public_room().await;
    bob.join_via(&room, near).await.unwrap();
    carol.join_via(&room, near).await.unwrap();
    alice.sees_membership(&room, &carol, "join").await;
    let old = alice.send_text(&room, "old").await.unwrap();
    carol.sees(&room, &old).await;
    let since = carol.now().await;
    let sliding = json!({
        "room_subscriptions": { room.as_str(): { "timeline_limit": 20, "required_state": [["m.room.topic", ""]] } },
    });
    let connection = slide(&carol, None, &sliding).await;
    leave(&alice, &bob, &room).await;
    leave(&alice, &carol, &room).await;
    let meanwhile = say(&alice, &room, "meanwhile", 3).await;
    alice
        .set_state(&room, "m.room.topic", "", json!({ "topic": "meanwhile" }))
        .await
        .unwrap();
    // The one who comes back first is not the one who has heard nothing since.
    come_back(&alice, &bob, &room, near).await;
    carol.join(&room).await.unwrap();
    let last = alice.send_text(&room, "welcome back").await.unwrap();
    carol.sees(&room, &last).await;

    let answer = carol.sync_from(&since).await;
    let synced = &answer["rooms"]["join"][&room];
    assert_eq!(synced["timeline"]["limited"], true, "{synced:#}");
    assert_eq!(messages_in(&synced.events("/timeline/events")), [last.as_str()]);
    let topics = synced.events("/state/events");
    assert!(
        topics
            .iter()
            .any(|event| event["content"]["topic"] == "meanwhile"),
        "{synced:#}"
    );

    let answer = slide(&carol, Some(connection.text("/pos")), &sliding).await;
    let slid = &answer["rooms"][&room];
    assert_eq!(slid["limited"], true, "{slid:#}");
    assert_eq!(messages_in(&slid.events("/timeline")), [last.as_str()]);
    let topics = slid.events("/required_state");
    assert!(
        topics
            .iter()
            .any(|event| event["content"]["topic"] == "meanwhile"),
        "{slid:#}"
    );

    let expected = reversed([vec![old], meanwhile].concat());
    for token in [synced.text("/timeline/prev_batch"), slid.text("/prev_batch")] {
        assert_eq!(read_on(&carol, &room, "b", 2, Some(token)).await, expected);
    }
}

async fn the_surroundings_of_what_is_found_end_at_a_gap(near: &TestServer, far: &TestServer) {
    let ([alice], [bob]) = (near.register(["alice"]).await, far.register(["bob"]).await);
    let (room, said) = left_room(&alice, &bob, near).await;
    say(&alice, &room, "meanwhile", 3).await;
    come_back(&alice, &bob, &room, near).await;
    let last = alice.send_text(&room, "welcome back").await.unwrap();
    bob.sees(&room, &last).await;
    let around = async |word: &str| {
        let criteria = json!({
            "search_term": word, "filter": { "rooms": [room] }, "event_context": { "before_limit": 9, "after_limit": 9 },
        });
        let body = json!({ "search_categories": { "room_events": criteria } });
        until(&format!("{word} is found"), async || {
            let answer = bob.post(v3(["search"]), body.clone()).await.ok()?;
            let context = answer.pointer("/search_categories/room_events/results/0/context")?;
            let side = |pointer: &str| messages_in(&context.events(pointer));
            Some((side("/events_before"), side("/events_after")))
        })
        .await
    };
    assert_eq!(around("welcome").await, (vec![], vec![]));
    assert_eq!(around("bye").await, (reversed(said[..3].to_vec()), vec![]));
}

async fn slide(user: &User, pos: Option<&str>, body: &Value) -> Value {
    let pos = pos.map(|pos| format!("?pos={pos}")).unwrap_or_default();
    let path = format!("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync{pos}");
    user.post(path, body.clone()).await.unwrap()
}

#[tokio::test]
async fn a_reader_waits_at_the_gap_while_nobody_can_be_asked_and_restarts_change_nothing() {
    let network = Network::start(2).await;
    let people = network.people().await;
    let (alice, bob) = (&people[0], &people[1]);
    let (near, far) = (&network.servers[0], &network.servers[1]);
    let (room, mut said) = left_room(alice, bob, near).await;
    said.extend(say(alice, &room, "meanwhile", 150).await);
    come_back(alice, bob, &room, near).await;
    let last = alice.send_text(&room, "welcome back").await.unwrap();
    bob.sees(&room, &last).await;
    said.push(last);

    network.cut_off(1);
    let newest = bob.messages(&room, "dir=b&limit=50").await.unwrap();
    assert_eq!(messages_in(&newest.events("/chunk")), said[said.len() - 1..]);
    let mut gap = newest.text("/end").to_owned();
    for _ in 0..3 {
        let page = bob
            .messages(&room, &format!("dir=b&limit=50{}", encoded(&gap)))
            .await
            .unwrap();
        assert!(page.list("/chunk").is_empty(), "{page:#}");
        assert_ne!(page["end"], page["start"], "clients would take it for the end");
        page.text("/end").clone_into(&mut gap);
    }

    network.heal();
    // Hearing of a server ends the pause in which it is not asked.
    let heard = alice.send_text(&room, "there again").await.unwrap();
    bob.sees(&room, &heard).await;
    let page = until("the gap is filled a bit", async || {
        let page = bob
            .messages(&room, &format!("dir=b&limit=50{}", encoded(&gap)))
            .await
            .ok()?;
        (!page.list("/chunk").is_empty()).then_some(page)
    })
    .await;
    let mut read = messages_in(&page.events("/chunk"));
    let from = page.text("/end").to_owned();
    far.kill();
    far.restart().await;
    read.extend(read_on(bob, &room, "b", 50, Some(&from)).await);
    said.pop();
    assert_eq!(reversed(read), said);
    far.kill();
    far.restart().await;
    let whole = reversed(read_on(bob, &room, "b", 50, None).await);
    assert_eq!(whole[..said.len()], said);
    echorift_tests::assert_agreement(&room, &[alice, bob]).await;
}

#[tokio::test]
async fn where_nobody_has_what_is_missing_readers_go_on_below() {
    let network = Network::start(2).await;
    let people = network.people().await;
    let (alice, bob) = (&people[0], &people[1]);
    let (near, far) = (&network.servers[0], &network.servers[1]);
    let (room, mut said) = left_room(alice, bob, near).await;
    say(alice, &room, "meanwhile", 20).await;
    come_back(alice, bob, &room, near).await;
    let last = alice.send_text(&room, "welcome back").await.unwrap();
    bob.sees(&room, &last).await;
    said.push(last);
    far.kill();
    far.set("federation.deny", json!([near.name()]));
    far.restart().await;
    assert_eq!(reversed(read_on(bob, &room, "b", 4, None).await), said);
    assert_eq!(read_on(bob, &room, "f", 4, None).await, said);
}
