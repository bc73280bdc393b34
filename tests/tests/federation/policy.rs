//! The operator's policy: with whom this server federates, and about what.

use echorift_tests::{Look as _, ServerBuilder, TestAuthority, TestServer, free_port, v3};
use reqwest::Method;
use serde_json::{Value, json};

/// A server with a policy, and another without one.
async fn ours_and_theirs(policy: impl FnOnce(ServerBuilder) -> ServerBuilder) -> (TestServer, TestServer) {
    let authority = TestAuthority::new();
    let ports = [free_port(), free_port()];
    let hosts = [("ours.test", ports[0]), ("theirs.test", ports[1])];
    let builder = |index: usize| {
        let (name, port) = hosts[index];
        TestServer::builder()
            .federating_at(&authority, name, port)
            .hosts(&hosts)
    };
    tokio::join!(policy(builder(0)).start(), builder(1).start())
}

#[tokio::test]
async fn a_closed_server_has_to_do_with_those_it_names_alone() {
    let (ours, theirs) = ours_and_theirs(|server| {
        server
            .set("federation.mode", "closed")
            .set("federation.allow", json!(["friend.test"]))
    })
    .await;
    let ([alice], [bob]) = (ours.register(["alice"]).await, theirs.register(["bob"]).await);
    let room = alice.create_public_room().await;
    let refusal = bob.join_via(&room, &ours).await.unwrap_err();
    assert_eq!((refusal.status, refusal.errcode.as_str()), (403, "M_FORBIDDEN"));
    let room = bob.create_public_room().await;
    let refusal = alice.join_via(&room, &theirs).await.unwrap_err();
    assert_eq!((refusal.status, refusal.errcode.as_str()), (403, "M_FORBIDDEN"));
    let invite = json!({ "user_id": alice.id });
    let refusal = bob
        .post(v3(["rooms", &room, "invite"]), invite)
        .await
        .unwrap_err();
    assert_eq!(refusal.status, 403);
    let refusal = bob.get(v3(["profile", &alice.id])).await.unwrap_err();
    assert_eq!(refusal.status, 403);
}

#[tokio::test]
async fn a_partner_is_limited_to_what_is_written() {
    let partner = json!([{
        "server": "theirs.test", "rooms": ["#joint-*:ours.test"], "media": false, "profile_fields": ["displayname"],
    }]);
    let (ours, theirs) = ours_and_theirs(|server| {
        server
            .set("federation.mode", "closed")
            .set("federation.partner", partner)
    })
    .await;
    let ([alice], [bob]) = (ours.register(["alice"]).await, theirs.register(["bob"]).await);
    let inside = alice.create_public_room().await;
    assert_eq!(bob.join_via(&inside, &ours).await.unwrap_err().status, 403);
    let joint = alice
        .create_room(
            json!({ "preset": "public_chat", "visibility": "private", "room_alias_name": "joint-works" }),
        )
        .await
        .unwrap();
    bob.join_via(&joint, &ours).await.unwrap();
    let said = alice.send_text(&joint, "welcome").await.unwrap();
    bob.sees(&joint, &said).await;

    let avatar = json!({ "avatar_url": "mxc://ours.test/picture" });
    alice
        .put(v3(["profile", &alice.id, "avatar_url"]), avatar)
        .await
        .unwrap();
    let profile = bob.get(v3(["profile", &alice.id])).await.unwrap();
    assert_eq!(profile.text("/displayname"), alice.localpart);
    assert_eq!(profile["avatar_url"], Value::Null);
    let request = alice
        .request(Method::POST, "/_matrix/media/v3/upload")
        .header("content-type", "text/plain")
        .body("not for partners");
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let file = answer
        .text("/content_uri")
        .strip_prefix("mxc://")
        .unwrap()
        .to_owned();
    let refusal = bob
        .get(format!("/_matrix/client/v1/media/download/{file}"))
        .await
        .unwrap_err();
    assert!(matches!(refusal.status, 403 | 404 | 502), "{refusal}");
}
