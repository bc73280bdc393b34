use http::Method;
use serde_json::json;

use super::{
    databases::on_both_databases,
    server::{TestUser, password_auth},
};

on_both_databases! {
    async fn people_log_in_by_name_or_by_whole_id(server: &TestServer) {
        server.register("alice").await;
        for name in ["alice", "Alice", "@alice:example.org"] {
            let answer = server.log_in(name, "pw-alice", json!({})).await.ok();
            assert_eq!(answer["user_id"], "@alice:example.org");
            assert_eq!(answer["well_known"]["m.homeserver"]["base_url"], "https://chat.example.org");
            let whoami = server.whoami(answer["access_token"].as_str().unwrap()).await.ok();
            assert_eq!(whoami["device_id"], answer["device_id"]);
        }
        let old_form = json!({ "type": "m.login.password", "user": "alice", "password": "pw-alice" });
        server.post_open("/_matrix/client/r0/login", old_form).await.ok();
    }

    async fn wrong_names_and_passwords_get_one_answer(server: &TestServer) {
        server.register("alice").await;
        for (name, password) in [("alice", "wrong"), ("nobody", "pw-alice"), ("@alice:elsewhere.org", "pw-alice")] {
            let answer = server.log_in(name, password, json!({})).await;
            assert_eq!(answer.refusal(), (403, "M_FORBIDDEN"), "{name}");
        }
        let by_mail = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.thirdparty", "medium": "email", "address": "alice@example.org" },
            "password": "pw-alice",
        });
        assert_eq!(server.post_open("/_matrix/client/v3/login", by_mail).await.refusal(), (403, "M_FORBIDDEN"));
    }

    async fn a_log_in_with_a_known_device_replaces_its_session(server: &TestServer) {
        let first = server.register("alice").await;
        let device = json!({ "device_id": first.device_id, "initial_device_display_name": "Laptop" });
        let second = TestUser::from_answer(&server.log_in("alice", "pw-alice", device).await.ok());
        assert_eq!(second.device_id, first.device_id);
        let refusal = server.whoami(&first.token).await;
        assert_eq!(refusal.refusal(), (401, "M_UNKNOWN_TOKEN"));
        assert_eq!(refusal.body["soft_logout"], false);
        server.whoami(&second.token).await.ok();
        let devices = server.get("/_matrix/client/v3/devices", &second.token).await.ok();
        assert_eq!(devices["devices"].as_array().unwrap().len(), 1);
    }

    async fn a_login_token_is_good_once_and_for_two_minutes(server: &TestServer) {
        let alice = server.register("alice").await;
        let path = "/_matrix/client/v1/login/get_token";
        let make = async || {
            let challenge = server.post(path, &alice.token, json!({})).await;
            assert_eq!(challenge.status.as_u16(), 401);
            let auth = password_auth("alice", &challenge.body["session"]);
            let made = server.post(path, &alice.token, json!({ "auth": auth })).await.ok();
            assert_eq!(made["expires_in_ms"], 120_000);
            json!({ "type": "m.login.token", "token": made["login_token"] })
        };
        let body = make().await;
        let answer = server.post_open("/_matrix/client/v3/login", body.clone()).await.ok();
        assert_eq!(answer["user_id"], "@alice:example.org");
        assert_eq!(server.post_open("/_matrix/client/v3/login", body).await.refusal(), (403, "M_FORBIDDEN"));
        let late = make().await;
        server.clock.advance_ms(120_000);
        assert_eq!(server.post_open("/_matrix/client/v3/login", late).await.refusal(), (403, "M_FORBIDDEN"));
    }

    async fn logging_out_ends_the_device_and_its_tokens(server: &TestServer) {
        let first = server.register("alice").await;
        let second = TestUser::from_answer(&server.log_in("alice", "pw-alice", json!({})).await.ok());
        let third = TestUser::from_answer(&server.log_in("alice", "pw-alice", json!({})).await.ok());
        server.post("/_matrix/client/v3/logout", &first.token, json!({})).await.ok();
        let refusal = server.whoami(&first.token).await;
        assert_eq!(refusal.refusal(), (401, "M_UNKNOWN_TOKEN"));
        assert_eq!(refusal.body["soft_logout"], false);
        let path = format!("/_matrix/client/v3/devices/{}", first.device_id);
        assert_eq!(server.get(&path, &second.token).await.refusal(), (404, "M_NOT_FOUND"));
        server.post("/_matrix/client/v3/logout/all", &second.token, json!({})).await.ok();
        for token in [&second.token, &third.token] {
            assert_eq!(server.whoami(token).await.refusal(), (401, "M_UNKNOWN_TOKEN"));
        }
        // After a restart the ended sessions are still ended.
        let restarted = server.restart(vec![], |_| {}).await;
        assert_eq!(restarted.whoami(&third.token).await.refusal(), (401, "M_UNKNOWN_TOKEN"));
    }

    async fn the_flows_are_listed(server: &TestServer) {
        let flows = server.send(Method::GET, "/_matrix/client/v3/login", None, None).await.ok();
        assert_eq!(flows["flows"][0]["type"], "m.login.password");
        assert_eq!(flows["flows"][1]["type"], "m.login.token");
    }
}
