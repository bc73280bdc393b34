use echorift_web::{LimitKind, RateLimit, RateLimits};
use serde_json::json;

use super::databases::on_both_databases;

/// Few attempts, and in the time of a test no more.
fn limit(kind: LimitKind, burst: u32) -> RateLimits {
    RateLimits::new([(
        kind,
        RateLimit {
            per_second: 0.000_1,
            burst,
        },
    )])
}

on_both_databases! {
    async fn guessing_at_passwords_is_slowed_down_per_address(server: &TestServer) {
        let server = server.limited(limit(LimitKind::Login, 3)).await;
        for name in ["a", "b", "c"] {
            assert_eq!(server.log_in(name, "guess", json!({})).await.refusal(), (403, "M_FORBIDDEN"));
        }
        let refusal = server.log_in("d", "guess", json!({})).await;
        assert_eq!(refusal.refusal(), (429, "M_LIMIT_EXCEEDED"));
        assert!(refusal.body["retry_after_ms"].as_u64().unwrap() > 0);
    }

    async fn guessing_at_one_password_is_slowed_down_from_anywhere(server: &TestServer) {
        let alice = server.register("alice").await;
        let server = server.limited(limit(LimitKind::Login, 2)).await;
        // The stages of a request that needs the password count with the log-ins.
        for expected in [(401, "M_FORBIDDEN"), (401, "M_FORBIDDEN"), (429, "M_LIMIT_EXCEEDED")] {
            let auth = json!({
                "type": "m.login.password", "password": "guess",
                "identifier": { "type": "m.id.user", "user": "@alice:example.org" },
            });
            let body = json!({ "devices": [], "auth": auth });
            let refusal = server.post("/_matrix/client/v3/delete_devices", &alice.token, body).await;
            assert_eq!(refusal.refusal(), expected);
        }
        assert_eq!(server.log_in("ALICE", "pw-alice", json!({})).await.refusal(), (429, "M_LIMIT_EXCEEDED"));
    }

    async fn registrations_are_limited_and_asking_how_to_register_is_not(server: &TestServer) {
        let server = server.limited(limit(LimitKind::Registration, 2)).await;
        for _ in 0..3 {
            let challenge = server.post_open("/_matrix/client/v3/register", json!({ "username": "x" })).await;
            assert_eq!(challenge.status.as_u16(), 401);
        }
        server.register("alice").await;
        server.register("bob").await;
        let auth = json!({ "type": "m.login.dummy" });
        let body = json!({ "username": "carol", "password": "pw", "auth": auth });
        let refusal = server.post_open("/_matrix/client/v3/register", body).await;
        assert_eq!(refusal.refusal(), (429, "M_LIMIT_EXCEEDED"));
    }
}
