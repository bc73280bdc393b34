use serde_json::json;

use super::databases::on_both_databases;

const REGISTER: &str = "/_matrix/client/v3/register";

on_both_databases! {
    async fn the_first_administrator_registers_with_a_token_where_all_else_is_closed(server: &TestServer) {
        let server = server.restart(vec![], |options| options.registration.enabled = false).await;
        let outdated = server.accounts.create_first_admin_token().await.unwrap().unwrap();
        let token = server.accounts.create_first_admin_token().await.unwrap().unwrap();
        let register = async |name: &str, token: &str| {
            let auth = json!({ "type": "m.login.registration_token", "token": token });
            server.post_open(REGISTER, json!({ "username": name, "password": "pw", "auth": auth })).await
        };
        assert_eq!(register("mallory", &outdated).await.refusal(), (401, "M_FORBIDDEN"));
        let answer = register("root", &token).await.ok();
        let capabilities =
            server.get("/_matrix/client/v3/capabilities", answer["access_token"].as_str().unwrap()).await.ok();
        assert!(capabilities["capabilities"].get("m.account_moderation").is_some());
        // Closed again, for the same token as well.
        assert_eq!(register("second", &token).await.refusal(), (403, "M_FORBIDDEN"));
        assert_eq!(server.accounts.create_first_admin_token().await.unwrap(), None);
    }

    async fn the_operators_token_opens_nothing_while_registration_is_closed(server: &TestServer) {
        let server = server.restart(vec![], |options| {
            options.registration.enabled = false;
            options.registration.token = Some("let me in".to_owned());
        }).await;
        server.accounts.create_first_admin_token().await.unwrap();
        let auth = json!({ "type": "m.login.registration_token", "token": "let me in" });
        let body = json!({ "username": "mallory", "password": "pw", "auth": auth });
        assert_eq!(server.post_open(REGISTER, body).await.refusal(), (401, "M_FORBIDDEN"));
    }

    async fn an_administrator_made_elsewise_ends_the_token(server: &TestServer) {
        let server = server.restart(vec![], |options| options.registration.enabled = false).await;
        let token = server.accounts.create_first_admin_token().await.unwrap().unwrap();
        server.accounts.create_local_user("root", "pw", true).await.unwrap();
        let auth = json!({ "type": "m.login.registration_token", "token": token });
        let body = json!({ "username": "second", "password": "pw", "auth": auth });
        assert_eq!(server.post_open(REGISTER, body).await.refusal(), (403, "M_FORBIDDEN"));
        server.log_in("root", "pw", json!({})).await.ok();
    }
}
