use std::time::Duration;

use echorift_tests::Weather;
use serde_json::json;

use crate::network::{Chatter, Network, assert_whole, common_room};

const ROUGH: Weather = Weather {
    is_cut: false,
    delay_max: Duration::from_millis(100),
    loss: 0.05,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storms_lose_nothing_and_part_nobody() {
    let network = Network::start(3).await;
    let people = network.people().await;
    let room = common_room(&people).await;
    let chatter = Chatter::start(&people, &room);
    chatter.goes_on(60).await;
    network.everywhere(ROUGH);
    chatter.goes_on(120).await;
    for alone in 0..3 {
        network.heal();
        network.cut_off(alone);
        chatter.goes_on(60).await;
    }
    network.everywhere(ROUGH);
    chatter.goes_on(60).await;
    let acknowledged = chatter.end().await;
    network.heal();
    assert_whole(&room, &people, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_decided_on_both_sides_of_a_cut_is_settled_alike() {
    let network = Network::start(3).await;
    let people = network.people().await;
    let room = common_room(&people).await;
    let mut acknowledged = std::collections::BTreeSet::new();
    for alone in 0..3 {
        network.cut_off(alone);
        for (index, person) in people.iter().enumerate() {
            for (kind, state_key, content) in [
                ("m.room.name", "", json!({ "name": format!("{index}'s room") })),
                (
                    "m.room.topic",
                    "",
                    json!({ "topic": format!("{index} was here, {alone} alone") }),
                ),
                (
                    "org.example.own",
                    person.localpart.as_str(),
                    json!({ "round": alone }),
                ),
            ] {
                acknowledged.insert(person.set_state(&room, kind, state_key, content).await.unwrap());
            }
            acknowledged.insert(person.send_text(&room, "and so I say").await.unwrap());
        }
        // The first has the power to say who has how much.
        let mut levels = people[0].state(&room, "m.room.power_levels", "").await.unwrap();
        levels["users"][&people[1].id] = json!(if alone == 1 { 50 } else { 0 });
        let id = people[0]
            .set_state(&room, "m.room.power_levels", "", levels)
            .await
            .unwrap();
        acknowledged.insert(id);
        network.heal();
        assert_whole(&room, &people, &acknowledged).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_on_one_side_of_a_cut_holds_on_both() {
    let network = Network::start(2).await;
    let people = network.people().await;
    let (alice, bob) = (&people[0], &people[1]);
    let [carol] = network.servers[1].register(["carol"]).await;
    let room = common_room(&people).await;
    carol.join(&room).await.unwrap();
    alice.sees_membership(&room, &carol, "join").await;
    network.cut_off(0);
    alice.ban(&room, &carol).await.unwrap();
    let after = carol.send_text(&room, "I know nothing of a ban").await.unwrap();
    carol
        .set_state(&room, "m.room.topic", "", json!({ "topic": "Carol's" }))
        .await
        .unwrap();
    network.heal();
    bob.sees_membership(&room, &carol, "ban").await;
    let last = bob.send_text(&room, "so be it").await.unwrap();
    alice.sees(&room, &last).await;
    assert!(carol.send_text(&room, "but").await.is_err());
    // The ban comes first in the resolved state, so the topic was never hers to set; both must see it so.
    echorift_tests::until("both agree on the state", async || {
        let (one, two) = (
            alice.whole_state(&room).await.ok()?,
            bob.whole_state(&room).await.ok()?,
        );
        (one == two).then_some(())
    })
    .await;
    assert!(alice.state(&room, "m.room.topic", "").await.is_err());
    let timeline = alice.timeline_ids(&room).await.unwrap();
    assert!(
        !timeline.contains(&after),
        "a message of somebody who is banned is shown"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_catches_up() {
    let network = Network::start(3).await;
    let people = network.people().await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(common_room(&people).await);
    }
    network.servers[2].kill();
    let mut acknowledged = vec![std::collections::BTreeSet::new(); rooms.len()];
    for number in 0..40 {
        for (room, acknowledged) in rooms.iter().zip(&mut acknowledged) {
            let writer = &people[number % 2];
            acknowledged.insert(writer.send_text(room, &number.to_string()).await.unwrap());
        }
    }
    network.servers[2].restart().await;
    for (room, acknowledged) in rooms.iter().zip(&acknowledged) {
        assert_whole(room, &people, acknowledged).await;
    }
}
