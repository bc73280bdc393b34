use echorift_tests::{Look as _, TestServer, refused};
use serde_json::{Value, json};

use crate::admin;

#[tokio::test]
async fn whatever_administrators_do_is_remembered() {
    let server = TestServer::start().await;
    let root = server.register_admin().await;
    let [bob] = server.register(["bob"]).await;
    let acts = [
        ("lock", "left the company"),
        ("unlock", "came back"),
        ("logout", ""),
    ];
    for (act, reason) in acts {
        root.post(admin(["users", &bob.id, act]), json!({ "reason": reason }))
            .await
            .unwrap();
    }
    root.post(
        admin(["users", &bob.id, "administrator"]),
        json!({ "is_administrator": true }),
    )
    .await
    .unwrap();
    // What did not happen is not remembered.
    refused(
        root.delete(admin(["users", &bob.id, "sessions", "NONE"])).await,
        404,
        "M_NOT_FOUND",
    );

    let all = root.get(admin(["audit"])).await.unwrap();
    let told: Vec<(&str, &Value)> = all
        .list("/items")
        .iter()
        .map(|entry| (entry.text("/action"), &entry["reason"]))
        .collect();
    assert_eq!(
        told,
        [
            ("user.administrator", &Value::Null),
            ("user.logout", &Value::Null),
            ("user.unlock", &json!("came back")),
            ("user.lock", &json!("left the company")),
        ]
    );
    assert_eq!(all["items"][0]["details"], json!({ "is_administrator": true }));
    assert_eq!(all.text("/items/0/administrator"), root.id);
    assert_eq!(all.text("/items/0/target"), bob.id);
    assert!(all.number("/items/0/at_ts") >= all.number("/items/3/at_ts"));

    let page = root.get(admin(["audit"]) + "?limit=3").await.unwrap();
    let rest = root
        .get(format!(
            "{}?limit=3&from={}",
            admin(["audit"]),
            page.text("/next")
        ))
        .await
        .unwrap();
    assert_eq!((rest.list("/items").len(), &rest["next"]), (1, &Value::Null));
    let only = root.get(admin(["audit"]) + "?action=user.lock").await.unwrap();
    assert_eq!(only.list("/items").len(), 1);
    for query in [
        "administrator=%40nobody%3Ax",
        "target=%40nobody%3Ax",
        "action=user.nap",
    ] {
        let none = root.get(format!("{}?{query}", admin(["audit"]))).await.unwrap();
        assert_eq!(none["items"], json!([]), "{query}");
    }
}

#[tokio::test]
async fn the_specifications_own_endpoints_are_remembered_too() {
    let server = TestServer::start().await;
    let root = server.register_admin().await;
    let [bob] = server.register(["bob"]).await;
    for (act, body) in [
        ("lock", json!({ "locked": true })),
        ("suspend", json!({ "suspended": true })),
    ] {
        root.put(format!("/_matrix/client/v1/admin/{act}/{}", bob.id), body)
            .await
            .unwrap();
    }
    let all = root.get(admin(["audit"])).await.unwrap();
    let actions: Vec<&str> = all
        .list("/items")
        .iter()
        .map(|entry| entry.text("/action"))
        .collect();
    assert_eq!(actions, ["user.suspend", "user.lock"]);
}

#[tokio::test]
async fn a_reason_has_its_limit() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [bob] = server.register(["bob"]).await;
    refused(
        root.post(
            admin(["users", &bob.id, "lock"]),
            json!({ "reason": "x".repeat(2_001) }),
        )
        .await,
        413,
        "M_TOO_LARGE",
    );
    let shown = root.get(admin(["users", &bob.id])).await.unwrap();
    assert_eq!(shown["is_locked"], false);
}
