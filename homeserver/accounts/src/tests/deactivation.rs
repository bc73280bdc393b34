use std::sync::{Arc, Mutex};

use echorift_web::BoxFuture;
use http::Method;
use ruma::{UserId, user_id};
use serde_json::json;
use tokio::sync::Notify;

use super::{databases::on_both_databases, server::password_auth};
use crate::AccountObserver;

const DEACTIVATE: &str = "/_matrix/client/v3/account/deactivate";

#[derive(Default)]
struct Farewells {
    said: Mutex<Vec<(String, bool)>>,
    arrived: Notify,
}

impl AccountObserver for Farewells {
    fn deactivated<'a>(&'a self, user: &'a UserId, erase: bool) -> BoxFuture<'a, ()> {
        self.said.lock().unwrap().push((user.to_string(), erase));
        self.arrived.notify_one();
        Box::pin(async {})
    }
}

on_both_databases! {
    async fn a_deactivated_account_is_gone_and_its_name_stays_taken(server: &TestServer) {
        let alice = server.register("alice").await;
        let farewells = Arc::new(Farewells::default());
        server.accounts.observe_accounts(farewells.clone());
        let challenge = server.post(DEACTIVATE, &alice.token, json!({})).await;
        let auth = password_auth("alice", &challenge.body["session"]);
        let answer = server.post(DEACTIVATE, &alice.token, json!({ "auth": auth, "erase": true })).await.ok();
        assert_eq!(answer["id_server_unbind_result"], "no-support");
        assert_eq!(*farewells.said.lock().unwrap(), [("@alice:example.org".to_owned(), true)]);
        let refusal = server.whoami(&alice.token).await;
        assert_eq!((refusal.refusal(), &refusal.body["soft_logout"]), ((401, "M_UNKNOWN_TOKEN"), &json!(false)));
        assert_eq!(server.log_in("alice", "pw-alice", json!({})).await.refusal(), (403, "M_USER_DEACTIVATED"));
        let profile = server.send(Method::GET, "/_matrix/client/v3/profile/@alice:example.org", None, None).await;
        assert_eq!(profile.refusal(), (404, "M_NOT_FOUND"));
        assert!(!server.accounts.user_exists(user_id!("@alice:example.org")).await.unwrap());
        let again = json!({ "username": "alice", "password": "x", "auth": { "type": "m.login.dummy" } });
        assert_eq!(server.post_open("/_matrix/client/v3/register", again).await.refusal(), (400, "M_USER_IN_USE"));
    }

    async fn a_farewell_that_nobody_heard_is_said_after_a_restart(server: &TestServer) {
        let alice = server.register("alice").await;
        let auth = password_auth("alice", &json!(null));
        server.post(DEACTIVATE, &alice.token, json!({ "auth": auth })).await.ok();
        let restarted = server.restart(vec![], |_| {}).await;
        let farewells = Arc::new(Farewells::default());
        restarted.accounts.observe_accounts(farewells.clone());
        farewells.arrived.notified().await;
        assert_eq!(*farewells.said.lock().unwrap(), [("@alice:example.org".to_owned(), false)]);
    }
}
