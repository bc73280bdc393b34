use std::collections::HashMap;
use std::time::Duration;

use echorift_tests::{Caller, Look as _, v3};
use futures_util::future::join_all;
use serde_json::json;

use crate::service::Service;

/// In so many rooms at once,
const ROOMS: usize = 50;
/// so many messages each.
const MESSAGES: usize = 200;
/// How often each of the two is killed meanwhile.
const KILLS: usize = 3;

/// Sends all its messages, each until it is acknowledged.
async fn chatter(caller: Caller, ghost: String, room: String) {
    for number in 0..MESSAGES {
        let send = v3(["rooms", &room, "send", "m.room.message", &number.to_string()]);
        let send = format!("{send}?user_id={ghost}");
        loop {
            let body = json!({ "msgtype": "m.text", "body": number.to_string() });
            match caller.put(&send, body).await {
                Ok(_) => break,
                // The server is gone, or going.
                Err(refusal) if refusal.is_no_answer() || refusal.status >= 500 => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(refusal) => panic!("{refusal}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_once_each_in_order_though_everything_is_killed() {
    let mut service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let caller = service.caller(&server);
    let mut rooms = Vec::new();
    for number in 0..ROOMS {
        let ghost = service.make_user(&format!("ghost{number}"), &server).await;
        let create = format!("{}?user_id={ghost}", v3(["createRoom"]));
        let made = caller.post(create, json!({})).await.unwrap();
        rooms.push((ghost, made.text("/room_id").to_owned()));
    }
    let talk = join_all(rooms.iter().map(|(ghost, room)| {
        let (caller, ghost, room) = (caller.clone(), ghost.clone(), room.clone());
        tokio::spawn(chatter(caller, ghost, room))
    }));
    // At which message each end comes, the server's and the service's in turn: anywhere in a part of its own.
    let all = ROOMS * MESSAGES;
    let part = all / (2 * KILLS + 1);
    let at: Vec<usize> = (1..=2 * KILLS)
        .map(|kill| kill * part + rand::random_range(0..part))
        .collect();
    let ends = async {
        for (kill, at) in at.iter().enumerate() {
            let told = |service: &Service| (service.messages() >= *at).then_some(());
            service.wait_for(told).await;
            // What is worked off then is acknowledged to nobody.
            service.lose_answers(2);
            if kill % 2 == 0 {
                server.kill();
                server.restart().await;
            } else {
                service.kill();
                service.revive().await;
            }
        }
        let told = |service: &Service| (service.messages() >= all).then_some(());
        service.wait_for(told).await;
    };
    let (spoken, ()) = tokio::join!(talk, ends);
    assert!(spoken.iter().all(Result::is_ok));

    let mut by_room: HashMap<String, Vec<usize>> = HashMap::new();
    for event in service.all("events") {
        if event["type"] == "m.room.message" {
            let number = event.text("/content/body").parse().unwrap();
            let of_room = by_room.entry(event.text("/room_id").to_owned()).or_default();
            of_room.push(number);
        }
    }
    let expected: Vec<usize> = (0..MESSAGES).collect();
    for (_, room) in rooms {
        assert_eq!(
            by_room[&room], expected,
            "each once, in order; ends came at {at:?}"
        );
    }
}
