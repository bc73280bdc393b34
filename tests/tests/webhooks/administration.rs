use echorift_tests::{Look as _, TestServer, path, refused};
use serde_json::json;

use super::hooks::make;

fn admin(parts: &[&str]) -> String {
    path("/_echorift/admin/v1", parts)
}

#[tokio::test]
async fn administrators_see_all_hooks_and_turn_them_off() {
    let server = TestServer::start().await;
    let root = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    let (room, other) = (
        alice.create_room(json!({ "name": "Tea" })).await.unwrap(),
        alice.create_room(json!({})).await.unwrap(),
    );
    let hook = make(&alice, &room, "incoming", json!({})).await;
    make(&alice, &other, "incoming", json!({})).await;
    refused(alice.get(admin(&["hooks"])).await, 403, "M_FORBIDDEN");
    let all = root.get(admin(&["hooks"]) + "?limit=1").await.unwrap();
    assert_eq!(
        (all.text("/items/0/id"), all.text("/items/0/room_name")),
        (&*hook.id, "Tea")
    );
    let next = format!("{}?from={}", admin(&["hooks"]), all.text("/next"));
    let rest = root.get(next).await.unwrap();
    assert_eq!(rest.list("/items").len(), 1);
    assert_eq!(rest.text("/items/0/room_id"), other);
    let of_room = format!("{}?room_id={}", admin(&["hooks"]), other.replace('!', "%21"));
    assert_eq!(root.get(of_room).await.unwrap().text("/items/0/room_id"), other);

    let off = json!({ "enabled": false, "reason": "it floods" });
    let shown = root.put(admin(&["hooks", &hook.id]), off).await.unwrap();
    assert_eq!(shown.text("/state"), "off");
    let post = server.anonymous().post(hook.path(), json!({ "text": "x" })).await;
    assert_eq!(post.unwrap_err().status, 403);
    root.delete(admin(&["hooks", &hook.id])).await.unwrap();
    refused(root.delete(admin(&["hooks", &hook.id])).await, 404, "M_NOT_FOUND");
    let audit = root.get(admin(&["audit"])).await.unwrap();
    let acts: Vec<&str> = audit
        .list("/items")
        .iter()
        .map(|act| act.text("/action"))
        .collect();
    assert_eq!(acts, ["hook.delete", "hook.disable"]);
    assert_eq!(audit.text("/items/1/reason"), "it floods");
}
