use echorift_tests::{Look as _, TestServer, User, refused};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::admin;

/// Uploads, and gives the media ID.
async fn upload(who: &User, bytes: usize) -> String {
    let request = who
        .request(Method::POST, "/_matrix/media/v3/upload?filename=notes.txt")
        .header("content-type", "text/plain")
        .body(vec![b'x'; bytes]);
    let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    let uri = answer.text("/content_uri");
    uri.rsplit_once('/').unwrap().1.to_owned()
}

async fn download(who: &User, media_id: &str) -> StatusCode {
    let path = format!(
        "/_matrix/client/v1/media/download/{}/{media_id}",
        who.server.name()
    );
    who.request(Method::GET, path).send().await.unwrap().status()
}

#[tokio::test]
async fn who_has_how_much_is_told() {
    let server = TestServer::start().await;
    let root = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    upload(&alice, 1_000).await;
    let newest = upload(&bob, 2_000).await;
    upload(&alice, 500).await;
    let usage = root.get(admin(["media", "usage"])).await.unwrap();
    assert_eq!(usage["local"], json!({ "files": 3, "bytes": 3_500 }));
    assert_eq!(usage["remote"], json!({ "files": 0, "bytes": 0 }));
    assert_eq!(
        usage["items"],
        json!([
            { "user_id": bob.id, "files": 1, "bytes": 2_000 },
            { "user_id": alice.id, "files": 2, "bytes": 1_500 },
        ])
    );
    let first = root.get(admin(["media", "usage"]) + "?limit=1").await.unwrap();
    let rest = root
        .get(format!(
            "{}?limit=1&from={}",
            admin(["media", "usage"]),
            first.text("/next")
        ))
        .await
        .unwrap();
    assert_eq!(rest.text("/items/0/user_id"), alice.id);

    let shown = root.get(admin(["users", &alice.id])).await.unwrap();
    assert_eq!(shown.number("/media_bytes"), 1_500);
    let all = root.get(admin(["media"]) + "?limit=2").await.unwrap();
    let next = all.text("/next");
    let rest = root
        .get(format!("{}?limit=2&from={next}", admin(["media"])))
        .await
        .unwrap();
    assert_eq!((all.list("/items").len(), rest.list("/items").len()), (2, 1));
    let of_bob = root
        .get(format!(
            "{}?user_id={}",
            admin(["media"]),
            bob.id.replace(':', "%3A")
        ))
        .await
        .unwrap();
    let [file] = of_bob.list("/items") else {
        panic!("{of_bob}")
    };
    assert_eq!(
        (file.text("/media_id"), file.text("/name")),
        (&*newest, "notes.txt")
    );
    assert_eq!((file.number("/bytes"), file.text("/uploader")), (2_000, &*bob.id));
    assert_eq!(file["is_quarantined"], false);
}

#[tokio::test]
async fn a_file_under_lock_is_given_to_nobody_until_it_is_free() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    let id = upload(&alice, 100).await;
    root.post(admin(["media", server.name(), &id, "quarantine"]), json!({}))
        .await
        .unwrap();
    assert_eq!(download(&alice, &id).await, StatusCode::NOT_FOUND);
    let listed = root
        .get(format!(
            "{}?user_id={}",
            admin(["media"]),
            alice.id.replace(':', "%3A")
        ))
        .await
        .unwrap();
    assert_eq!(listed["items"][0]["is_quarantined"], true);
    root.post(admin(["media", server.name(), &id, "unquarantine"]), json!({}))
        .await
        .unwrap();
    assert_eq!(download(&alice, &id).await, StatusCode::OK);
}

#[tokio::test]
async fn a_deleted_file_is_gone() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    let id = upload(&alice, 100).await;
    let path = admin(["media", server.name(), &id]);
    root.delete(&path).await.unwrap();
    assert_eq!(download(&alice, &id).await, StatusCode::NOT_FOUND);
    refused(root.delete(&path).await, 404, "M_NOT_FOUND");
}
