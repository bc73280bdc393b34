use serde_json::json;

use super::{
    databases::on_both_databases,
    server::{MINUTE_MS, TestUser, password_auth},
};

const DELETE: &str = "/_matrix/client/v3/delete_devices";
const PASSWORD: &str = "/_matrix/client/v3/account/password";

on_both_databases! {
    async fn a_session_of_stages_is_good_for_one_operation_of_one_user(server: &TestServer) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let body = json!({ "devices": ["NONE"] });
        let challenge = server.post(DELETE, &alice.token, body.clone()).await;
        assert_eq!(challenge.body["flows"], json!([{ "stages": ["m.login.password"] }]));
        let session = &challenge.body["session"];
        for (token, name) in [(&bob.token, "bob"), (&bob.token, "alice")] {
            let body = json!({ "devices": ["NONE"], "auth": password_auth(name, session) });
            let refusal = server.post(DELETE, token, body).await;
            assert_eq!(refusal.refusal(), (401, "M_FORBIDDEN"));
        }
        let elsewhere = json!({ "new_password": "new", "auth": password_auth("alice", session) });
        let refusal = server.post(PASSWORD, &alice.token, elsewhere).await;
        assert_eq!(refusal.refusal(), (403, "M_FORBIDDEN"));
        let others = json!({ "devices": ["NONE", "OTHER"], "auth": password_auth("alice", session) });
        let refusal = server.post(DELETE, &alice.token, others).await;
        assert_eq!(refusal.refusal(), (403, "M_FORBIDDEN"));
        let wrong = json!({ "devices": ["NONE"], "auth": {
            "type": "m.login.password", "session": session, "password": "wrong",
            "identifier": { "type": "m.id.user", "user": "alice" },
        }});
        let refusal = server.post(DELETE, &alice.token, wrong).await;
        assert_eq!(refusal.refusal(), (401, "M_FORBIDDEN"));
        assert_eq!((&refusal.body["session"], &refusal.body["completed"]), (session, &json!([])));
        let right = json!({ "devices": ["NONE"], "auth": password_auth("alice", session) });
        server.post(DELETE, &alice.token, right.clone()).await.ok();
        // And once only.
        assert_eq!(server.post(DELETE, &alice.token, right).await.refusal(), (401, "M_FORBIDDEN"));
    }

    async fn a_session_of_stages_ends(server: &TestServer) {
        let alice = server.register("alice").await;
        let challenge = server.post(DELETE, &alice.token, json!({ "devices": [] })).await;
        server.clock.advance_ms(15 * MINUTE_MS);
        let body = json!({ "devices": [], "auth": password_auth("alice", &challenge.body["session"]) });
        assert_eq!(server.post(DELETE, &alice.token, body).await.refusal(), (401, "M_FORBIDDEN"));
    }

    async fn a_changed_password_ends_the_other_sessions_if_asked_to(server: &TestServer) {
        let alice = server.register("alice").await;
        let other = TestUser::from_answer(&server.log_in("alice", "pw-alice", json!({})).await.ok());
        let change = async |from: &str, to: &str, logout: bool| {
            let auth = json!({
                "type": "m.login.password", "password": from,
                "identifier": { "type": "m.id.user", "user": "alice" },
            });
            let body = json!({ "new_password": to, "logout_devices": logout, "auth": auth });
            server.post(PASSWORD, &alice.token, body).await
        };
        assert_eq!(change("wrong", "second", false).await.refusal(), (401, "M_FORBIDDEN"));
        assert_eq!(change("pw-alice", "", false).await.refusal(), (400, "M_WEAK_PASSWORD"));
        change("pw-alice", "second", false).await.ok();
        server.whoami(&other.token).await.ok();
        change("second", "third", true).await.ok();
        assert_eq!(server.whoami(&other.token).await.refusal(), (401, "M_UNKNOWN_TOKEN"));
        server.whoami(&alice.token).await.ok();
        assert_eq!(server.log_in("alice", "pw-alice", json!({})).await.refusal(), (403, "M_FORBIDDEN"));
        server.log_in("alice", "third", json!({})).await.ok();
    }
}
