use echorift_tests::{Look as _, TestServer, refused, v3};
use serde_json::json;

use crate::admin;

#[tokio::test]
async fn reports_are_read_and_settled() {
    let server = TestServer::start().await;
    let root = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let event = bob.send_text(&room, "rude words").await.unwrap();
    alice
        .post(
            v3(["rooms", &room, "report", &event]),
            json!({ "reason": "rude" }),
        )
        .await
        .unwrap();
    alice
        .post(
            v3(["users", &bob.id, "report"]),
            json!({ "reason": "always rude" }),
        )
        .await
        .unwrap();

    let open = root.get(admin(["reports"]) + "?state=open").await.unwrap();
    let [of_user, of_event] = open.list("/items") else {
        panic!("{open}")
    };
    assert_eq!(
        (of_user.text("/user_id"), of_user.text("/reporter")),
        (&*bob.id, &*alice.id)
    );
    assert_eq!(
        (of_event.text("/event_id"), of_event.text("/room_id")),
        (&*event, &*room)
    );
    assert_eq!(
        (of_event.text("/reason"), of_event.text("/state")),
        ("rude", "open")
    );

    let id = of_event.number("/id").to_string();
    root.post(
        admin(["reports", &id, "resolve"]),
        json!({ "note": "spoke to him" }),
    )
    .await
    .unwrap();
    let done = root.get(admin(["reports"]) + "?state=done").await.unwrap();
    assert_eq!(done.list("/items").len(), 1);
    assert_eq!(done.text("/items/0/resolved_by"), root.id);
    assert_eq!(done.text("/items/0/note"), "spoke to him");
    let open = root.get(admin(["reports"]) + "?state=open").await.unwrap();
    assert_eq!(open.list("/items").len(), 1);
    refused(
        root.post(admin(["reports", "999999999", "resolve"]), json!({}))
            .await,
        404,
        "M_NOT_FOUND",
    );
}
