use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use echorift_web::BoxFuture;
use http::Method;
use ruma::{UserId, user_id};
use serde_json::{Value, json};

use super::{
    databases::on_both_databases,
    server::{MINUTE_MS, TestServer},
};
use crate::{AccountError, Profile, ProfileObserver, RemoteProfiles};

const ALICE: &str = "/_matrix/client/v3/profile/@alice:example.org";

async fn look(server: &TestServer, field: &str) -> super::server::Answer {
    let path = if field.is_empty() {
        ALICE.to_owned()
    } else {
        format!("{ALICE}/{field}")
    };
    server.send(Method::GET, &path, None, None).await
}

#[derive(Default)]
struct Heard(Mutex<Vec<Option<String>>>);

impl ProfileObserver for Heard {
    fn profile_changed<'a>(&'a self, user: &'a UserId, profile: &'a Profile) -> BoxFuture<'a, ()> {
        assert_eq!(user, "@alice:example.org");
        self.0.lock().unwrap().push(profile.display_name.clone());
        Box::pin(async {})
    }
}

/// Another server with one user, who is asked about through it.
#[derive(Default)]
struct Elsewhere(Mutex<usize>);

impl RemoteProfiles for Elsewhere {
    fn profile<'a>(
        &'a self,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Option<BTreeMap<String, Value>>, AccountError>> {
        *self.0.lock().unwrap() += 1;
        let fields = BTreeMap::from([
            ("displayname".to_owned(), json!("Bob")),
            ("m.tz".to_owned(), json!("UTC")),
        ]);
        let answer = match user.localpart() {
            "bob" => Ok(Some(fields)),
            "away" => Err(AccountError::PeerUnreachable(user.server_name().to_owned())),
            _ => Ok(None),
        };
        Box::pin(async move { answer })
    }
}

on_both_databases! {
    async fn profiles_of_other_servers_are_asked_for_and_kept_for_a_while(server: &TestServer) {
        let path = |user: &str| format!("/_matrix/client/v3/profile/@{user}:two.example");
        let get = async |path: &str| server.send(Method::GET, path, None, None).await;
        assert_eq!(get(&path("bob")).await.refusal(), (404, "M_NOT_FOUND"), "nobody to ask");
        let elsewhere = Arc::new(Elsewhere::default());
        assert!(server.accounts.ask_for_profiles(Arc::clone(&elsewhere) as Arc<dyn RemoteProfiles>));
        assert_eq!(get(&path("bob")).await.ok(), json!({ "displayname": "Bob", "m.tz": "UTC" }));
        assert_eq!(get(&format!("{}/m.tz", path("bob"))).await.ok(), json!({ "m.tz": "UTC" }));
        assert_eq!(get(&format!("{}/avatar_url", path("bob"))).await.refusal(), (404, "M_NOT_FOUND"));
        assert_eq!(*elsewhere.0.lock().unwrap(), 1);
        for _ in 0..2 {
            assert_eq!(get(&path("nobody")).await.refusal(), (404, "M_NOT_FOUND"));
        }
        assert_eq!(*elsewhere.0.lock().unwrap(), 2, "that there is none is kept, too");
        assert_eq!(get(&path("away")).await.refusal(), (502, "M_UNKNOWN"));
        server.clock.advance_ms(10 * MINUTE_MS);
        get(&path("bob")).await.ok();
        assert_eq!(*elsewhere.0.lock().unwrap(), 4);
    }

    async fn fields_are_set_read_and_removed(server: &TestServer) {
        let alice = server.register("alice").await;
        let fields = [
            ("displayname", json!("Alice A.")),
            ("avatar_url", json!("mxc://example.org/abc")),
            ("m.tz", json!("Europe/London")),
            ("org.example.languages", json!(["cs", { "level": 3 }])),
        ];
        for (field, value) in &fields {
            server.put(&format!("{ALICE}/{field}"), &alice.token, json!({ *field: value })).await.ok();
            assert_eq!(look(server, field).await.ok(), json!({ *field: value }));
        }
        let whole: Value = fields.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect();
        assert_eq!(look(server, "").await.ok(), whole);
        server.delete(&format!("{ALICE}/m.tz"), &alice.token, None).await.ok();
        server.delete(&format!("{ALICE}/m.tz"), &alice.token, None).await.ok();
        server.put(&format!("{ALICE}/avatar_url"), &alice.token, json!({ "avatar_url": "" })).await.ok();
        for field in ["m.tz", "avatar_url", "org.example.unset"] {
            assert_eq!(look(server, field).await.refusal(), (404, "M_NOT_FOUND"), "{field}");
        }
        let profile = server.accounts.profile(user_id!("@alice:example.org")).await.unwrap().unwrap();
        assert_eq!((profile.display_name.as_deref(), profile.avatar_url), (Some("Alice A."), None));
        assert_eq!(server.accounts.profile(user_id!("@bob:example.org")).await.unwrap(), None);
    }

    async fn what_does_not_fit_is_refused(server: &TestServer) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let put = async |field: &str, body: Value| server.put(&format!("{ALICE}/{field}"), &alice.token, body).await;
        assert_eq!(put("displayname", json!({ "displayname": 3 })).await.refusal(), (400, "M_INVALID_PARAM"));
        assert_eq!(put("m.tz", json!({ "other": "x" })).await.refusal(), (400, "M_MISSING_PARAM"));
        assert_eq!(put("nickname", json!({ "nickname": "x" })).await.refusal(), (400, "M_INVALID_PARAM"));
        assert_eq!(put("m.tz", json!([])).await.refusal(), (400, "M_BAD_JSON"));
        let long = format!("a.{}", "b".repeat(254));
        assert_eq!(put(&long, json!({ &long: 1 })).await.refusal(), (400, "M_KEY_TOO_LARGE"));
        let half = "x".repeat(33 * 1024);
        put("org.example.a", json!({ "org.example.a": half })).await.ok();
        let refusal = put("org.example.b", json!({ "org.example.b": half })).await;
        assert_eq!(refusal.refusal(), (400, "M_PROFILE_TOO_LARGE"));
        let theirs = server.put(&format!("{ALICE}/displayname"), &bob.token, json!({ "displayname": "B" })).await;
        assert_eq!(theirs.refusal(), (403, "M_FORBIDDEN"));
        assert_eq!(look(server, "displayname").await.ok()["displayname"], "alice");
    }

    async fn the_observer_hears_of_changes_that_rooms_show(server: &TestServer) {
        let alice = server.register("alice").await;
        let heard = Arc::new(Heard::default());
        server.accounts.observe_profiles(heard.clone());
        for (field, value) in [("displayname", "A"), ("displayname", "A"), ("m.tz", "UTC"), ("avatar_url", "mxc://x/y")] {
            server.put(&format!("{ALICE}/{field}"), &alice.token, json!({ field: value })).await.ok();
        }
        // Setting the same name again changes nothing, and rooms do not show time zones.
        assert_eq!(*heard.0.lock().unwrap(), [Some("A".to_owned()), Some("A".to_owned())]);
    }
}
