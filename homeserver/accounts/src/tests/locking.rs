use serde_json::json;

use super::{
    databases::on_both_databases,
    server::{TestServer, TestUser},
};

const LOCK: &str = "/_matrix/client/v1/admin/lock/@bob:example.org";
const SUSPEND: &str = "/_matrix/client/v1/admin/suspend/@bob:example.org";

async fn administrator(server: &TestServer) -> TestUser {
    server
        .accounts
        .create_local_user("root", "pw", true)
        .await
        .unwrap();
    TestUser::from_answer(&server.log_in("root", "pw", json!({})).await.ok())
}

on_both_databases! {
    async fn a_locked_account_can_only_log_out(server: &TestServer) {
        let (root, bob) = (administrator(server).await, server.register("bob").await);
        assert_eq!(server.get(LOCK, &root.token).await.ok(), json!({ "locked": false }));
        server.put(LOCK, &root.token, json!({ "locked": true })).await.ok();
        assert_eq!(server.get(LOCK, &root.token).await.ok(), json!({ "locked": true }));
        for server in [server, &server.restart(vec![], |_| {}).await] {
            let refusal = server.whoami(&bob.token).await;
            assert_eq!((refusal.refusal(), &refusal.body["soft_logout"]), ((401, "M_USER_LOCKED"), &json!(true)));
            assert_eq!(server.log_in("bob", "pw-bob", json!({})).await.refusal(), (401, "M_USER_LOCKED"));
        }
        server.put(LOCK, &root.token, json!({ "locked": false })).await.ok();
        server.whoami(&bob.token).await.ok();
        server.put(LOCK, &root.token, json!({ "locked": true })).await.ok();
        server.post("/_matrix/client/v3/logout", &bob.token, json!({})).await.ok();
        assert_eq!(server.whoami(&bob.token).await.refusal(), (401, "M_UNKNOWN_TOKEN"));
    }

    async fn a_suspended_account_cannot_change_its_profile(server: &TestServer) {
        let (root, bob) = (administrator(server).await, server.register("bob").await);
        server.put(SUSPEND, &root.token, json!({ "suspended": true })).await.ok();
        assert_eq!(server.get(SUSPEND, &root.token).await.ok(), json!({ "suspended": true }));
        server.whoami(&bob.token).await.ok();
        let path = "/_matrix/client/v3/profile/@bob:example.org/displayname";
        let refusal = server.put(path, &bob.token, json!({ "displayname": "B" })).await;
        assert_eq!(refusal.refusal(), (403, "M_USER_SUSPENDED"));
        server.put(SUSPEND, &root.token, json!({ "suspended": false })).await.ok();
        server.put(path, &bob.token, json!({ "displayname": "B" })).await.ok();
    }

    async fn only_administrators_lock_and_only_others(server: &TestServer) {
        let (root, bob) = (administrator(server).await, server.register("bob").await);
        server.register("alice").await;
        let lock = async |token: &str, user: &str| {
            let path = format!("/_matrix/client/v1/admin/lock/{user}");
            server.put(&path, token, json!({ "locked": true })).await
        };
        assert_eq!(lock(&bob.token, "@alice:example.org").await.refusal(), (403, "M_FORBIDDEN"));
        assert_eq!(lock(&root.token, "@root:example.org").await.refusal(), (403, "M_FORBIDDEN"));
        assert_eq!(lock(&root.token, "@nobody:example.org").await.refusal(), (404, "M_NOT_FOUND"));
        assert_eq!(lock(&root.token, "@bob:elsewhere.org").await.refusal(), (400, "M_INVALID_PARAM"));
    }

    async fn whois_answers_administrators_and_oneself(server: &TestServer) {
        let (root, bob) = (administrator(server).await, server.register("bob").await);
        let path = "/_matrix/client/v3/admin/whois/@bob:example.org";
        for token in [&root.token, &bob.token] {
            let answer = server.get(path, token).await.ok();
            assert_eq!(answer["user_id"], "@bob:example.org");
            assert!(answer["devices"].get(&bob.device_id).is_some());
        }
        let of_root = "/_matrix/client/v3/admin/whois/@root:example.org";
        assert_eq!(server.get(of_root, &bob.token).await.refusal(), (403, "M_FORBIDDEN"));
    }
}
