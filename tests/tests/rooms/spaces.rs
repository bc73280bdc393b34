use echorift_tests::{Look as _, TestServer, User, refused, v1};
use serde_json::{Value, json};

async fn space(owner: &User, name: &str) -> String {
    let request = json!({
        "preset": "public_chat", "name": name, "creation_content": { "type": "m.space" },
    });
    owner.create_room(request).await.unwrap()
}

async fn add_child(owner: &User, space: &str, child: &str, more: Value) {
    let mut content = json!({ "via": ["test.example"] });
    for (key, value) in more.as_object().into_iter().flatten() {
        content[key] = value.clone();
    }
    owner
        .set_state(space, "m.space.child", child, content)
        .await
        .unwrap();
}

fn rooms_of(answer: &Value) -> Vec<&str> {
    answer
        .list("/rooms")
        .iter()
        .map(|room| room.text("/room_id"))
        .collect()
}

#[tokio::test]
async fn a_space_shows_its_rooms_in_order() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let company = space(&alice, "Company").await;
    let team = space(&alice, "Team").await;
    let (first, second, inner) = (
        alice.create_public_room().await,
        alice.create_public_room().await,
        alice.create_public_room().await,
    );
    let secret = alice
        .create_room(json!({ "preset": "private_chat" }))
        .await
        .unwrap();
    add_child(
        &alice,
        &company,
        &second,
        json!({ "order": "b", "suggested": true }),
    )
    .await;
    add_child(&alice, &company, &first, json!({ "order": "a" })).await;
    add_child(&alice, &company, &team, json!({ "order": "c" })).await;
    add_child(&alice, &company, &secret, json!({ "order": "d" })).await;
    add_child(&alice, &team, &inner, json!({})).await;

    let path = v1(["rooms", &company, "hierarchy"]);
    let whole = bob.get(&path).await.unwrap();
    // The company, then its children in their order, each followed by its own or all of one level together.
    let shown = rooms_of(&whole);
    assert_eq!(shown[..3], [company.as_str(), first.as_str(), second.as_str()]);
    assert!(shown.contains(&team.as_str()) && shown.contains(&inner.as_str()));
    assert!(
        !shown.contains(&secret.as_str()),
        "a private room is not shown to strangers"
    );
    let top = &whole.list("/rooms")[0];
    assert_eq!(
        (top.text("/room_type"), top.text("/name")),
        ("m.space", "Company")
    );
    let children: Vec<&str> = top
        .list("/children_state")
        .iter()
        .map(|child| child.text("/state_key"))
        .collect();
    assert!(children.contains(&first.as_str()) && children.contains(&team.as_str()));

    assert!(rooms_of(&alice.get(&path).await.unwrap()).contains(&secret.as_str()));
    let suggested = bob.get(path.clone() + "?suggested_only=true").await.unwrap();
    assert_eq!(rooms_of(&suggested), [company.as_str(), second.as_str()]);
    let shallow = bob.get(path.clone() + "?max_depth=1").await.unwrap();
    assert!(!rooms_of(&shallow).contains(&inner.as_str()));

    // Page by page the same rooms come in the same order.
    let mut paged: Vec<String> = Vec::new();
    let mut from = String::new();
    for _ in 0..10 {
        let page = bob.get(format!("{path}?limit=2{from}")).await.unwrap();
        paged.extend(rooms_of(&page).iter().map(|room| (*room).to_owned()));
        match page["next_batch"].as_str() {
            Some(next) => from = format!("&from={next}"),
            None => break,
        }
    }
    assert_eq!(paged, shown);
}

#[tokio::test]
async fn a_removed_child_and_a_loop_do_no_harm() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let (outer, inner) = (space(&alice, "Outer").await, space(&alice, "Inner").await);
    let gone = alice.create_public_room().await;
    add_child(&alice, &outer, &inner, json!({})).await;
    add_child(&alice, &inner, &outer, json!({})).await;
    add_child(&alice, &outer, &gone, json!({})).await;
    alice
        .set_state(&outer, "m.space.child", &gone, json!({}))
        .await
        .unwrap();
    let whole = alice.get(v1(["rooms", &outer, "hierarchy"])).await.unwrap();
    assert_eq!(rooms_of(&whole), [outer.as_str(), inner.as_str()]);
}

#[tokio::test]
async fn a_private_space_is_closed_to_strangers() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let request = json!({ "preset": "private_chat", "creation_content": { "type": "m.space" } });
    let room = alice.create_room(request).await.unwrap();
    refused(
        bob.get(v1(["rooms", &room, "hierarchy"])).await,
        403,
        "M_FORBIDDEN",
    );
    refused(
        alice
            .get(v1(["rooms", &room, "hierarchy"]) + "?from=made-up")
            .await,
        400,
        "M_INVALID_PARAM",
    );
}
