use serde_json::{Value, json};

use super::{
    databases::on_both_databases,
    server::{MINUTE_MS, TestServer},
};

const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

async fn refresh(server: &TestServer, token: &Value) -> super::server::Answer {
    server
        .post_open("/_matrix/client/v3/refresh", json!({ "refresh_token": token }))
        .await
}

async fn log_in(server: &TestServer) -> Value {
    server.register("alice").await;
    server
        .log_in("alice", "pw-alice", json!({ "refresh_token": true }))
        .await
        .ok()
}

fn access(answer: &Value) -> &str {
    answer["access_token"].as_str().unwrap()
}

on_both_databases! {
    async fn an_access_token_ends_softly_and_is_refreshed(server: &TestServer) {
        let session = log_in(server).await;
        assert_eq!(session["expires_in_ms"], 15 * MINUTE_MS);
        server.clock.advance_ms(15 * MINUTE_MS - 1);
        server.whoami(access(&session)).await.ok();
        server.clock.advance_ms(1);
        let refusal = server.whoami(access(&session)).await;
        assert_eq!(refusal.refusal(), (401, "M_UNKNOWN_TOKEN"));
        assert_eq!(refusal.body["soft_logout"], true);
        let refreshed = refresh(server, &session["refresh_token"]).await.ok();
        assert_eq!(refreshed["expires_in_ms"], 15 * MINUTE_MS);
        let whoami = server.whoami(access(&refreshed)).await.ok();
        assert_eq!(whoami["device_id"], session["device_id"]);
    }

    async fn a_lost_answer_is_given_again_until_its_token_is_used(server: &TestServer) {
        let session = log_in(server).await;
        let lost = refresh(server, &session["refresh_token"]).await.ok();
        let again = refresh(server, &session["refresh_token"]).await.ok();
        assert_ne!(lost["refresh_token"], again["refresh_token"]);
        server.whoami(access(&again)).await.ok();
        let refusal = refresh(server, &session["refresh_token"]).await;
        assert_eq!(refusal.refusal(), (401, "M_UNKNOWN_TOKEN"));
    }

    async fn a_used_token_that_comes_again_ends_the_session(server: &TestServer) {
        let session = log_in(server).await;
        let second = refresh(server, &session["refresh_token"]).await.ok();
        let third = refresh(server, &second["refresh_token"]).await.ok();
        let refusal = refresh(server, &session["refresh_token"]).await;
        assert_eq!(refusal.refusal(), (401, "M_UNKNOWN_TOKEN"));
        assert_eq!(refusal.body["soft_logout"], true);
        for token in [&session, &second, &third] {
            let refusal = server.whoami(access(token)).await;
            assert_eq!(refusal.refusal(), (401, "M_UNKNOWN_TOKEN"));
            assert_eq!(refusal.body["soft_logout"], true);
        }
        assert_eq!(refresh(server, &third["refresh_token"]).await.refusal(), (401, "M_UNKNOWN_TOKEN"));
    }

    async fn a_session_lives_for_a_week_after_each_refresh(server: &TestServer) {
        let session = log_in(server).await;
        server.clock.advance_ms(6 * DAY_MS);
        let second = refresh(server, &session["refresh_token"]).await.ok();
        server.clock.advance_ms(6 * DAY_MS);
        let third = refresh(server, &second["refresh_token"]).await.ok();
        server.clock.advance_ms(7 * DAY_MS);
        let refusal = refresh(server, &third["refresh_token"]).await;
        assert_eq!(refusal.refusal(), (401, "M_UNKNOWN_TOKEN"));
        assert_eq!(refusal.body["soft_logout"], true);
    }

    async fn without_refresh_tokens_a_session_is_one_token_long(server: &TestServer) {
        let alice = server.register("alice").await;
        let answer = server.log_in("alice", "pw-alice", json!({})).await.ok();
        assert_eq!(answer.get("refresh_token"), None);
        server.clock.advance_ms(7 * DAY_MS - 1);
        server.whoami(&alice.token).await.ok();
        server.clock.advance_ms(1);
        let refusal = server.whoami(&alice.token).await;
        assert_eq!((refusal.refusal(), &refusal.body["soft_logout"]), ((401, "M_UNKNOWN_TOKEN"), &json!(true)));
        // The device is still there for whoever logs in again.
        let device = json!({ "device_id": alice.device_id });
        server.log_in("alice", "pw-alice", device).await.ok();
    }

    async fn housekeeping_forgets_what_is_over_and_nothing_else(server: &TestServer) {
        let ended = server.register("bob").await;
        server.post("/_matrix/client/v3/logout", &ended.token, json!({})).await.ok();
        let session = log_in(server).await;
        server.accounts.keep_house().await.unwrap();
        assert_eq!(server.whoami(&ended.token).await.body["soft_logout"], false);
        server.whoami(access(&session)).await.ok();
        server.clock.advance_ms(6 * DAY_MS);
        let second = refresh(server, &session["refresh_token"]).await.ok();
        server.clock.advance_ms(6 * DAY_MS);
        server.accounts.keep_house().await.unwrap();
        refresh(server, &second["refresh_token"]).await.ok();
        let left = server.accounts.0.database.fetch_all("SELECT session_number FROM sessions", &[]).await.unwrap();
        // Alice's registration, and the session that is refreshed.
        assert_eq!(left.len(), 2);
    }

    async fn tokens_of_another_key_are_unknown(server: &TestServer) {
        let alice = server.register("alice").await;
        std::fs::remove_file(server.accounts.0.options.data_dir.join("access-token.key")).unwrap();
        let other = server.restart(vec![], |_| {}).await;
        let refusal = other.whoami(&alice.token).await;
        assert_eq!((refusal.refusal(), &refusal.body["soft_logout"]), ((401, "M_UNKNOWN_TOKEN"), &json!(false)));
        let (claims, signature) = alice.token.rsplit_once('.').unwrap();
        for forged in [claims.to_owned(), format!("{claims}."), format!("{claims}.{}", signature.to_lowercase())] {
            assert_eq!(server.whoami(&forged).await.refusal(), (401, "M_UNKNOWN_TOKEN"), "{forged}");
        }
    }
}
