use std::collections::BTreeSet;

use echorift_tests::{Look as _, TestServer, User, fresh};
use serde_json::{Value, json};

use crate::{all_indexed, found, search, search_from};

async fn say_many(user: &User, room: &str, word: &str, count: usize) {
    for number in 0..count {
        user.send_text(room, &format!("{word} number {number}"))
            .await
            .unwrap();
    }
}

/// All pages of a search, and where each ended.
async fn pages(user: &User, first: Option<&str>, criteria: &Value) -> Vec<Value> {
    let mut token = first.map(ToOwned::to_owned);
    let mut pages = Vec::new();
    loop {
        let page = search_from(user, token.as_deref(), criteria.clone())
            .await
            .unwrap();
        token = page["next_batch"].as_str().map(ToOwned::to_owned);
        pages.push(page);
        if token.is_none() {
            return pages;
        }
        assert!(pages.len() < 50, "the pages do not end");
    }
}

#[tokio::test]
async fn the_newest_come_first_page_by_page() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let word = fresh("pages").replace('-', "");
    say_many(&alice, &room, &word, 25).await;
    all_indexed(&alice, &room).await;
    let criteria = json!({ "search_term": word, "order_by": "recent", "filter": { "limit": 10 } });
    let first = search(&alice, criteria.clone()).await;
    assert_eq!(first["count"], 25);
    // What comes meanwhile changes nothing.
    alice
        .send_text(&room, &format!("{word} meanwhile"))
        .await
        .unwrap();
    all_indexed(&alice, &room).await;
    let rest = pages(&alice, Some(first.text("/next_batch")), &criteria).await;
    let texts: Vec<String> = [&first].into_iter().chain(&rest).flat_map(found).collect();
    let expected: Vec<String> = (0..25)
        .rev()
        .map(|number| format!("{word} number {number}"))
        .collect();
    assert_eq!(texts, expected);
    assert!(rest.iter().all(|page| page["count"] == 25));
}

#[tokio::test]
async fn the_closest_come_first_page_by_page() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let word = fresh("close").replace('-', "");
    alice
        .send_text(&room, &format!("{word} {word} {word}"))
        .await
        .unwrap();
    say_many(&alice, &room, &format!("{word} among other words"), 12).await;
    all_indexed(&alice, &room).await;
    let criteria = json!({ "search_term": word, "filter": { "limit": 5 } });
    let all = pages(&alice, None, &criteria).await;
    let ranks: Vec<f64> = all
        .iter()
        .flat_map(|page| page.list("/results"))
        .map(|result| result["rank"].as_f64().unwrap())
        .collect();
    assert!(ranks.windows(2).all(|pair| pair[0] >= pair[1]), "{ranks:?}");
    assert_eq!(found(&all[0])[0], format!("{word} {word} {word}"));
    let texts: BTreeSet<String> = all.iter().flat_map(found).collect();
    assert_eq!((texts.len(), ranks.len()), (13, 13), "each once");
}

#[tokio::test]
async fn groups_are_named_and_read_on_by_themselves() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (one, other) = (
        alice.create_room_with(&[&bob]).await,
        alice.create_room_with(&[&bob]).await,
    );
    let word = fresh("groups").replace('-', "");
    say_many(&alice, &one, &word, 6).await;
    say_many(&bob, &other, &word, 6).await;
    alice.send_text(&one, &format!("{word} last")).await.unwrap();
    all_indexed(&alice, &one).await;
    let criteria = json!({
        "search_term": word, "order_by": "recent", "filter": { "limit": 4 },
        "groupings": { "group_by": [{ "key": "room_id" }, { "key": "sender" }] },
    });
    let first = search(&alice, criteria.clone()).await;
    let rooms = &first["groups"]["room_id"];
    assert_eq!(rooms[&one]["order"], 1);
    assert_eq!(rooms[&one]["results"].as_array().unwrap().len(), 1);
    assert_eq!(rooms[&other]["results"].as_array().unwrap().len(), 3);
    assert_eq!(
        first["groups"]["sender"][&bob.id]["results"],
        rooms[&other]["results"]
    );
    for (group, expected) in [
        (&rooms[&one], 6),
        (&rooms[&other], 3),
        (&first["groups"]["sender"][&alice.id], 6),
    ] {
        let rest = pages(&alice, group["next_batch"].as_str(), &criteria).await;
        let ids: BTreeSet<String> = rest
            .iter()
            .flat_map(|page| page.list("/results"))
            .map(|result| result["result"].text("/event_id").to_owned())
            .collect();
        assert_eq!(ids.len(), expected, "{group}");
        let seen = group["results"].as_array().unwrap();
        assert!(seen.iter().all(|id| !ids.contains(id.as_str().unwrap())));
    }
}
