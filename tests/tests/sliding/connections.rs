use echorift_tests::{Look as _, TestServer};
use serde_json::{Value, json};

use super::{Client, list, rooms};

fn unknown(refusal: &echorift_tests::Refusal) {
    assert_eq!((refusal.status, refusal.errcode.as_str()), (400, "M_UNKNOWN_POS"));
}

#[tokio::test]
async fn an_answer_that_was_lost_comes_again() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "before").await.unwrap();
    let body = list(json!({ "required_state": [["m.room.member", "$LAZY"]] }));
    let mut client = Client::new(&alice, body);
    client.sync().await;
    let fresh_room = alice.create_public_room().await;
    bob.send_text(&room, "hello").await.unwrap();
    let lost = client.ask(0).await.unwrap();
    let again = client.sync().await;
    assert_eq!(rooms(&lost), rooms(&again));
    for room in [&room, &fresh_room] {
        for part in ["initial", "required_state", "name", "limited"] {
            assert_eq!(
                lost["rooms"][room][part].is_null(),
                again["rooms"][room][part].is_null(),
                "{part}"
            );
        }
        assert_eq!(
            lost["rooms"][room].ids("/timeline"),
            again["rooms"][room].ids("/timeline")
        );
    }
    assert_eq!(
        again["rooms"][&room].list("/required_state").len(),
        1,
        "bob's member event"
    );
    assert_eq!(rooms(&client.sync().await), [] as [String; 0]);
}

#[tokio::test]
async fn a_connection_lives_through_a_kill() {
    let server = TestServer::start().await;
    let [alice] = server.register(["alice"]).await;
    let (quiet, busy) = (alice.create_public_room().await, alice.create_public_room().await);
    let body =
        list(json!({ "ranges": [[0, 9]], "timeline_limit": 5, "required_state": [["m.room.name", ""]] }));
    let mut client = Client::new(&alice, body);
    client.sync().await;
    alice.send_text(&busy, "before").await.unwrap();
    client.sync().await;
    alice.send_text(&busy, "unheard").await.unwrap();
    server.kill();
    server.restart().await;
    alice
        .set_state(&busy, "m.room.name", "", json!({ "name": "Busy" }))
        .await
        .unwrap();
    let answer = client.sync().await;
    assert_eq!(
        rooms(&answer),
        std::slice::from_ref(&busy),
        "{quiet} was sent before"
    );
    let told = &answer["rooms"][&busy];
    assert!(told.get("initial").is_none(), "{told}");
    assert_eq!(told.bodies("/timeline"), ["unheard"]);
    assert_eq!(told.text("/name"), "Busy");
    assert_eq!(told.list("/required_state").len(), 1);
    assert_eq!(rooms(&client.sync().await), [] as [String; 0]);
}

#[tokio::test]
async fn connections_of_a_device_do_not_disturb_each_other() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let client = |name: &str| {
        let mut body = list(json!({}));
        body["conn_id"] = json!(name);
        Client::new(&alice, body)
    };
    let (mut one, mut two) = (client("one"), client("two"));
    one.sync().await;
    assert_eq!(rooms(&two.sync().await), std::slice::from_ref(&room));
    alice.send_text(&room, "x").await.unwrap();
    assert_eq!(rooms(&one.sync().await), std::slice::from_ref(&room));
    assert_eq!(rooms(&two.sync().await), [room]);
    two.pos.clone_from(&one.pos);
    unknown(&two.ask(0).await.unwrap_err());
}

#[tokio::test]
async fn a_pos_of_another_or_of_long_ago_is_unknown() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let mut client = Client::of_list(&alice, 9);
    client.sync().await;
    let first = client.pos.clone();
    for _ in 0..3 {
        alice.create_public_room().await;
        assert_eq!(rooms(&client.sync().await).len(), 1);
    }
    let mut others = vec![
        first,
        Some("nonsense".to_owned()),
        Some("s999999999.1.1".to_owned()),
    ];
    others.push(Some("s1.1.999999".to_owned()));
    let current = client.pos.clone();
    for pos in others {
        client.pos = pos;
        unknown(&client.ask(0).await.unwrap_err());
    }
    let phone = alice.on_another_device().await;
    for user in [&bob, &phone] {
        let mut thief = Client::of_list(user, 9);
        thief.pos.clone_from(&current);
        unknown(&thief.ask(0).await.unwrap_err());
    }
    client.pos = None;
    let answer = client.sync().await;
    assert_eq!(rooms(&answer).len(), 3, "starting anew shows everything again");
}

#[tokio::test]
async fn the_connections_of_a_device_are_bounded() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let mut clients = Vec::new();
    for number in 0..18 {
        let body = json!({ "conn_id": format!("c{number}"), "lists": { "all": { "timeline_limit": 0 } } });
        let mut client = Client::new(&alice, body);
        client.sync().await;
        clients.push(client);
    }
    unknown(&clients[0].ask(0).await.unwrap_err());
    clients[17].sync().await;
}

#[tokio::test]
async fn a_pos_is_a_place_to_page_back_from() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    alice.send_text(&room, "before").await.unwrap();
    let mut client = Client::of_list(&alice, 1);
    let answer: Value = client.sync().await;
    alice.send_text(&room, "after").await.unwrap();
    let query = format!("dir=b&limit=1&from={}", answer.text("/pos"));
    let page = alice.messages(&room, &query).await.unwrap();
    assert_eq!(page.bodies("/chunk"), ["before"]);
}
