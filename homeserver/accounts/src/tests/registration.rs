use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use serde_json::{Value, json};
use sha1::Sha1;

use super::{
    databases::on_both_databases,
    server::{MINUTE_MS, SHARED_SECRET, TestServer, TestUser},
};

const REGISTER: &str = "/_matrix/client/v3/register";
const BY_SECRET: &str = "/_synapse/admin/v1/register";

async fn signed(server: &TestServer, name: &str, admin: bool, secret: &str) -> Value {
    let nonce = server.send(Method::GET, BY_SECRET, None, None).await.ok()["nonce"]
        .as_str()
        .unwrap()
        .to_owned();
    let role = if admin { "admin" } else { "notadmin" };
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{nonce}\0{name}\0pw\0{role}").as_bytes());
    let mac: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({ "nonce": nonce, "username": name, "password": "pw", "admin": admin, "mac": mac })
}

on_both_databases! {
    async fn a_name_is_registered_by_stages_and_then_taken(server: &TestServer) {
        let mut body = json!({ "username": "Alice", "password": "pw", "initial_device_display_name": "Phone" });
        let challenge = server.post_open(REGISTER, body.clone()).await;
        assert_eq!(challenge.status.as_u16(), 401);
        assert_eq!(challenge.body["flows"], json!([{ "stages": ["m.login.dummy"] }]));
        assert_eq!(challenge.body.get("errcode"), None);
        body["auth"] = json!({ "type": "m.login.dummy", "session": challenge.body["session"] });
        let answer = server.post_open(REGISTER, body.clone()).await.ok();
        assert_eq!(answer["user_id"], "@alice:example.org");
        let profile = server.send(Method::GET, "/_matrix/client/v3/profile/@alice:example.org", None, None).await.ok();
        assert_eq!(profile, json!({ "displayname": "alice" }));
        body["auth"] = json!({ "type": "m.login.dummy" });
        assert_eq!(server.post_open(REGISTER, body).await.refusal(), (400, "M_USER_IN_USE"));
        let available = "/_matrix/client/v3/register/available?username=";
        let ask = async |name: &str| server.send(Method::GET, &format!("{available}{name}"), None, None).await;
        assert_eq!(ask("alice").await.refusal(), (400, "M_USER_IN_USE"));
        assert_eq!(ask("no%20name").await.refusal(), (400, "M_INVALID_USERNAME"));
        assert_eq!(ask("bob").await.ok(), json!({ "available": true }));
    }

    async fn a_registration_is_heard_once_more_for_a_while_and_by_its_password(server: &TestServer) {
        let challenge = server.post_open(REGISTER, json!({ "password": "pw" })).await;
        let auth = json!({ "type": "m.login.dummy", "session": challenge.body["session"] });
        let body = json!({ "password": "pw", "auth": auth });
        let first = TestUser::from_answer(&server.post_open(REGISTER, body.clone()).await.ok());
        let again = TestUser::from_answer(&server.post_open(REGISTER, body.clone()).await.ok());
        assert_eq!((&again.id, &again.device_id), (&first.id, &first.device_id));
        // It is the same device, so its first session is over.
        assert_eq!(server.whoami(&first.token).await.refusal(), (401, "M_UNKNOWN_TOKEN"));
        server.whoami(&again.token).await.ok();
        for other in [json!({ "password": "guess", "auth": auth }), json!({ "auth": auth })] {
            assert_eq!(server.post_open(REGISTER, other).await.refusal(), (400, "M_USER_IN_USE"));
        }
        let other = json!({ "username": "another", "password": "pw", "auth": auth });
        assert_eq!(server.post_open(REGISTER, other).await.refusal(), (401, "M_FORBIDDEN"));
        server.whoami(&again.token).await.ok();
        server.clock.advance_ms(15 * MINUTE_MS);
        assert_eq!(server.post_open(REGISTER, body).await.refusal(), (401, "M_FORBIDDEN"));
    }

    async fn what_was_asked_for_is_remembered_with_the_session(server: &TestServer) {
        let asked = json!({
            "username": "alice", "password": "übers3kr1t", "device_id": "XYZZY",
            "initial_device_display_name": "Phone", "refresh_token": true,
        });
        let challenge = server.post_open(REGISTER, asked).await;
        let auth = json!({ "type": "m.login.dummy", "session": challenge.body["session"] });
        let answer = server.post_open(REGISTER, json!({ "auth": auth })).await.ok();
        assert_eq!((&answer["user_id"], &answer["device_id"]), (&json!("@alice:example.org"), &json!("XYZZY")));
        assert!(answer["refresh_token"].is_string());
        let token = answer["access_token"].as_str().unwrap();
        let device = server.get("/_matrix/client/v3/devices/XYZZY", token).await.ok();
        assert_eq!(device["display_name"], "Phone");
        server.log_in("alice", "übers3kr1t", json!({})).await.ok();

        let asked = json!({ "username": "bob", "password": "pw", "inhibit_login": true });
        let challenge = server.post_open(REGISTER, asked).await;
        let auth = json!({ "type": "m.login.dummy", "session": challenge.body["session"] });
        // What is said again counts.
        let answer = server.post_open(REGISTER, json!({ "username": "ben", "auth": auth })).await.ok();
        assert_eq!(answer["user_id"], "@ben:example.org");
        assert_eq!((answer.get("access_token"), answer.get("device_id")), (None, None));
    }

    async fn a_name_is_found_for_those_who_give_none(server: &TestServer) {
        let auth = json!({ "type": "m.login.dummy" });
        let body = json!({ "password": "pw", "inhibit_login": true, "auth": auth });
        let answer = server.post_open(REGISTER, body).await.ok();
        assert!(answer["user_id"].as_str().unwrap().ends_with(":example.org"));
        assert_eq!((answer.get("access_token"), answer.get("device_id")), (None, None));
    }

    async fn guests_and_foreign_names_are_refused(server: &TestServer) {
        let guest = server.post_open("/_matrix/client/v3/register?kind=guest", json!({})).await;
        assert_eq!(guest.refusal(), (403, "M_GUEST_ACCESS_FORBIDDEN"));
        let odd = server.post_open("/_matrix/client/v3/register?kind=robot", json!({})).await;
        assert_eq!(odd.refusal(), (400, "M_INVALID_PARAM"));
        for name in ["a b", "_appservice", "@alice:elsewhere.org", ""] {
            let refusal = server.post_open(REGISTER, json!({ "username": name, "password": "pw" })).await;
            assert_eq!(refusal.refusal(), (400, "M_INVALID_USERNAME"), "{name}");
        }
        let auth = json!({ "type": "m.login.dummy" });
        let refusal = server.post_open(REGISTER, json!({ "username": "bob", "auth": auth })).await;
        assert_eq!(refusal.refusal(), (400, "M_MISSING_PARAM"));
    }

    async fn closed_registration_lets_nobody_in(server: &TestServer) {
        let closed = server.restart(vec![], |options| options.registration.enabled = false).await;
        let auth = json!({ "type": "m.login.dummy" });
        let refusal = closed.post_open(REGISTER, json!({ "username": "bob", "password": "pw", "auth": auth })).await;
        assert_eq!(refusal.refusal(), (403, "M_FORBIDDEN"));
    }

    async fn registration_by_token_asks_for_it(server: &TestServer) {
        let server = server.restart(vec![], |options| {
            options.registration.without_verification = false;
            options.registration.token = Some("let me in".to_owned());
        }).await;
        let register = async |auth: Value| {
            server.post_open(REGISTER, json!({ "username": "bob", "password": "pw", "auth": auth })).await
        };
        let dummy = register(json!({ "type": "m.login.dummy" })).await;
        assert_eq!(dummy.refusal(), (401, "M_FORBIDDEN"));
        assert_eq!(dummy.body["flows"], json!([{ "stages": ["m.login.registration_token"] }]));
        let wrong = register(json!({ "type": "m.login.registration_token", "token": "let me out" })).await;
        assert_eq!(wrong.refusal(), (401, "M_FORBIDDEN"));
        register(json!({ "type": "m.login.registration_token", "token": "let me in" })).await.ok();
        let validity = "/_matrix/client/v1/register/m.login.registration_token/validity?token=";
        for (token, is_valid) in [("let%20me%20in", true), ("x", false)] {
            let answer = server.send(Method::GET, &format!("{validity}{token}"), None, None).await.ok();
            assert_eq!(answer, json!({ "valid": is_valid }));
        }
    }

    async fn scripts_register_by_the_shared_secret(server: &TestServer) {
        let body = signed(server, "operator", true, SHARED_SECRET).await;
        let answer = server.post_open(BY_SECRET, body.clone()).await.ok();
        let token = answer["access_token"].as_str().unwrap();
        let capabilities = server.get("/_matrix/client/v3/capabilities", token).await.ok();
        assert_eq!(capabilities["capabilities"]["m.account_moderation"], json!({ "lock": true, "suspend": true }));
        // The nonce is used up.
        assert_eq!(server.post_open(BY_SECRET, body).await.refusal(), (400, "M_UNKNOWN"));
        let forged = signed(server, "mallory", true, "guessed").await;
        assert_eq!(server.post_open(BY_SECRET, forged).await.refusal(), (403, "M_FORBIDDEN"));
        let mut raised = signed(server, "mallory", false, SHARED_SECRET).await;
        raised["admin"] = json!(true);
        assert_eq!(server.post_open(BY_SECRET, raised).await.refusal(), (403, "M_FORBIDDEN"));
        let taken = signed(server, "operator", false, SHARED_SECRET).await;
        assert_eq!(server.post_open(BY_SECRET, taken).await.refusal(), (400, "M_USER_IN_USE"));
        let off = server.restart(vec![], |options| options.registration.shared_secret = None).await;
        assert_eq!(off.send(Method::GET, BY_SECRET, None, None).await.refusal(), (400, "M_UNKNOWN"));
    }
}
