use http::Method;
use serde_json::{Value, json};

use super::databases::on_both_databases;

const ALICE: &str = "/_matrix/client/v3/user/@alice:example.org";
const ROOM: &str = "/_matrix/client/v3/user/@alice:example.org/rooms/!room:example.org";

on_both_databases! {
    async fn account_data_is_kept_as_it_was_given(server: &TestServer) {
        let alice = server.register("alice").await;
        let path = format!("{ALICE}/account_data/org.example.config");
        assert_eq!(server.get(&path, &alice.token).await.refusal(), (404, "M_NOT_FOUND"));
        for content in [json!({ "z": 1.5, "a": ["ü"] }), json!({})] {
            server.put(&path, &alice.token, content.clone()).await.ok();
            assert_eq!(server.get(&path, &alice.token).await.ok(), content);
        }
        // What memory holds is what the database holds.
        let fresh = server.restart(vec![], |_| {}).await;
        assert_eq!(fresh.get(&path, &alice.token).await.ok(), json!({}));
        let user = echorift_storage::UserNumber(fresh.accounts.0.users.find(&alice.id).await.unwrap().unwrap());
        let kept = server.accounts.global_account_data(user).await.unwrap();
        let stored = fresh.accounts.global_account_data(user).await.unwrap();
        assert_eq!(kept["org.example.config"].position, stored["org.example.config"].position);
        assert!(kept["org.example.config"].position.0 > 0);
    }

    async fn room_account_data_is_kept_by_room(server: &TestServer) {
        let alice = server.register("alice").await;
        let path = format!("{ROOM}/account_data/org.example.config");
        let other = path.replace("!room", "!other");
        assert_eq!(server.get(&path, &alice.token).await.refusal(), (404, "M_NOT_FOUND"));
        server.put(&path, &alice.token, json!({ "n": 1 })).await.ok();
        server.put(&other, &alice.token, json!({ "n": 2 })).await.ok();
        assert_eq!(server.get(&path, &alice.token).await.ok(), json!({ "n": 1 }));
        assert_eq!(server.get(&other, &alice.token).await.ok(), json!({ "n": 2 }));
        let fresh = server.restart(vec![], |_| {}).await;
        assert_eq!(fresh.get(&other, &alice.token).await.ok(), json!({ "n": 2 }));
    }

    async fn what_the_server_controls_and_what_is_no_object_is_refused(server: &TestServer) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        for base in [ALICE, ROOM] {
            let path = |data_type: &str| format!("{base}/account_data/{data_type}");
            for controlled in ["m.push_rules", "m.fully_read"] {
                let refusal = server.put(&path(controlled), &alice.token, json!({})).await;
                assert_eq!(refusal.refusal(), (405, "M_BAD_JSON"));
            }
            let list = server.put(&path("org.example.x"), &alice.token, json!([])).await;
            assert_eq!(list.refusal(), (400, "M_BAD_JSON"));
            let broken = server.send_bytes(Method::PUT, &path("org.example.x"), Some(&alice.token), b"{".into()).await;
            assert_eq!(broken.refusal(), (400, "M_NOT_JSON"));
            let large = json!({ "x": "x".repeat(512 * 1024) });
            let refusal = server.put(&path("org.example.x"), &alice.token, large).await;
            assert_eq!(refusal.refusal(), (413, "M_TOO_LARGE"));
            let theirs = server.put(&path("org.example.x"), &bob.token, json!({})).await;
            assert_eq!(theirs.refusal(), (403, "M_FORBIDDEN"));
            assert_eq!(server.get(&path("org.example.x"), &bob.token).await.refusal(), (403, "M_FORBIDDEN"));
        }
        let rules = server.get(&format!("{ALICE}/account_data/m.push_rules"), &alice.token).await.ok();
        let first = &rules["global"]["override"][0];
        assert_eq!((&first["rule_id"], &first["enabled"]), (&json!(".m.rule.master"), &json!(false)));
    }

    async fn tags_are_set_side_by_side_and_removed(server: &TestServer) {
        let alice = server.register("alice").await;
        let tag = |name: &str| format!("{ROOM}/tags/{name}");
        let tags = async || server.get(&format!("{ROOM}/tags"), &alice.token).await.ok()["tags"].clone();
        assert_eq!(tags().await, json!({}));
        let (first, second) = (tag("m.favourite"), tag("u.work"));
        let (first, second) = tokio::join!(
            server.put(&first, &alice.token, json!({ "order": 0.25 })),
            server.put(&second, &alice.token, json!({})),
        );
        first.ok();
        second.ok();
        let mut expected: Value = json!({ "m.favourite": { "order": 0.25 }, "u.work": {} });
        assert_eq!(tags().await, expected);
        server.delete(&tag("m.favourite"), &alice.token, None).await.ok();
        server.delete(&tag("m.favourite"), &alice.token, None).await.ok();
        expected.as_object_mut().unwrap().remove("m.favourite");
        assert_eq!(tags().await, expected);
        let data = server.get(&format!("{ROOM}/account_data/m.tag"), &alice.token).await.ok();
        assert_eq!(data, json!({ "tags": expected }));
        let long = server.put(&tag(&"a".repeat(256)), &alice.token, json!({})).await;
        assert_eq!(long.refusal(), (400, "M_KEY_TOO_LARGE"));
    }

    async fn a_filter_is_saved_once_and_given_back_whole(server: &TestServer) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let path = format!("{ALICE}/filter");
        let filter = json!({ "room": { "timeline": { "limit": 10, "org.example.unknown": true } } });
        let id = server.post(&path, &alice.token, filter.clone()).await.ok()["filter_id"].clone();
        assert_eq!(server.post(&path, &alice.token, filter.clone()).await.ok()["filter_id"], id);
        let stored = format!("{path}/{}", id.as_str().unwrap());
        assert_eq!(server.get(&stored, &alice.token).await.ok(), filter);
        assert_eq!(server.get(&stored, &bob.token).await.refusal(), (403, "M_FORBIDDEN"));
        assert_eq!(server.get(&format!("{path}/none"), &alice.token).await.refusal(), (404, "M_NOT_FOUND"));
        let user = echorift_storage::UserNumber(server.accounts.0.users.find(&alice.id).await.unwrap().unwrap());
        let read = server.accounts.filter_json(user, id.as_str().unwrap()).await.unwrap().unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&read).unwrap(), filter);
        for (bad, errcode) in [(json!({ "room": 3 }), "M_BAD_JSON"), (json!("x"), "M_BAD_JSON")] {
            assert_eq!(server.post(&path, &alice.token, bad).await.refusal(), (400, errcode));
        }
        let large = json!({ "event_fields": ["x".repeat(33 * 1024)] });
        assert_eq!(server.post(&path, &alice.token, large).await.refusal(), (413, "M_TOO_LARGE"));
    }
}
