use echorift_storage::Change;
use ruma::{OwnedUserId, UserId, user_id};
use serde_json::{Map, Value};

use super::{databases::on_both_databases, server::TestServer};
use crate::{AccountError, Act, AuditQuery, UserQuery, UserState};

fn act(action: &'static str, target: &UserId) -> Act {
    Act {
        administrator: user_id!("@root:example.org").to_owned(),
        action,
        target: target.to_string(),
        reason: Some("a test".to_owned()),
        details: Map::from_iter([("erase".to_owned(), Value::Bool(true))]),
    }
}

async fn remember(server: &TestServer, action: &'static str, target: &UserId) -> Change {
    server.accounts.audit(act(action, target)).await.unwrap()
}

async fn actions(server: &TestServer, query: AuditQuery) -> Vec<String> {
    let query = AuditQuery { limit: 10, ..query };
    let entries = server.accounts.audit_entries(&query).await.unwrap();
    entries.into_iter().map(|entry| entry.action).collect()
}

async fn found(server: &TestServer, search: Option<&str>, state: Option<UserState>) -> Vec<OwnedUserId> {
    let query = UserQuery {
        search: search.map(ToOwned::to_owned),
        state,
        after: None,
        limit: 10,
    };
    let users = server.accounts.users(&query).await.unwrap();
    users.into_iter().map(|user| user.user_id).collect()
}

on_both_databases! {
    async fn an_act_and_its_memory_are_written_together_or_not_at_all(server: &TestServer) {
        server.register("bob").await;
        let bob = user_id!("@bob:example.org");
        let accounts = &server.accounts;
        accounts.set_locked(bob, true, remember(server, "user.lock", bob).await).await.unwrap();
        accounts.end_account(bob, true, remember(server, "user.deactivate", bob).await).await.unwrap();
        let late = accounts.set_locked(bob, false, remember(server, "user.unlock", bob).await).await;
        assert!(matches!(late, Err(AccountError::NoSuchUser)));
        let late = accounts.set_administrator(bob, true, remember(server, "user.administrator", bob).await).await;
        assert!(matches!(late, Err(AccountError::Deactivated)));
        assert_eq!(actions(server, AuditQuery::default()).await, ["user.deactivate", "user.lock"]);
    }

    async fn acts_are_found_by_who_what_and_whom(server: &TestServer) {
        let (bob, cleo) = (user_id!("@bob:example.org"), user_id!("@cleo:example.org"));
        for (action, target) in [("user.lock", bob), ("user.unlock", bob), ("user.lock", cleo)] {
            let change = remember(server, action, target).await;
            server.accounts.0.database.writer().commit(change).await.unwrap();
        }
        let query = AuditQuery { target: Some(bob.to_string()), ..AuditQuery::default() };
        assert_eq!(actions(server, query).await, ["user.unlock", "user.lock"]);
        let query = AuditQuery {
            administrator: Some("@root:example.org".to_owned()),
            action: Some("user.lock".to_owned()),
            limit: 1,
            ..AuditQuery::default()
        };
        let [newest] = &server.accounts.audit_entries(&query).await.unwrap()[..] else { panic!("one entry") };
        assert_eq!((&*newest.target, newest.reason.as_deref()), (cleo.as_str(), Some("a test")));
        assert_eq!(newest.details["erase"], true);
        let query = AuditQuery { before: Some(newest.number), ..query };
        assert_eq!(server.accounts.audit_entries(&query).await.unwrap()[0].target, bob.as_str());
        let long = Act { reason: Some("x".repeat(2_001)), ..act("user.lock", bob) };
        assert!(matches!(server.accounts.audit(long).await, Err(AccountError::TooLarge { .. })));
    }

    async fn people_are_found_by_any_of_their_names(server: &TestServer) {
        for name in ["ada", "bob", "un_der"] {
            server.register(name).await;
        }
        let (ada, bob) = (user_id!("@ada:example.org").to_owned(), user_id!("@bob:example.org").to_owned());
        let path = "/_matrix/client/v3/profile/@ada:example.org/displayname";
        let token = server.log_in("ada", "pw-ada", serde_json::json!({})).await.ok();
        let body = serde_json::json!({ "displayname": "Öl \\ \"Essig\"" });
        server.put(path, token["access_token"].as_str().unwrap(), body).await.ok();
        for search in ["ADA", "ADA:example.org", "@ada:example.org", "öl", "ÖL", "\\ \"ess"] {
            let expected = if search == "ADA:example.org" { vec![] } else { vec![ada.clone()] };
            assert_eq!(found(server, Some(search), None).await, expected, "{search}");
        }
        assert_eq!(found(server, Some("n_d"), None).await.len(), 1);
        assert_eq!(found(server, Some("_"), None).await.len(), 1);
        server.accounts.set_suspended(&bob, true, Change::new()).await.unwrap();
        assert_eq!(found(server, None, Some(UserState::Suspended)).await, [bob]);
        assert_eq!(found(server, None, Some(UserState::Active)).await.len(), 2);
        assert_eq!(server.accounts.count_users(Some(UserState::Suspended)).await.unwrap(), 1);
        assert_eq!(server.accounts.count_users(None).await.unwrap(), 3);
    }
}
