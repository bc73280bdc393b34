use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use echorift_web::BoxFuture;
use ruma::user_id;
use serde_json::json;

use super::{databases::on_both_databases, server::TestServer};
use crate::{Identity, PasswordProvider, ProviderAnswer, ProviderError, Refusal};

type Answers = HashMap<String, Result<ProviderAnswer, ProviderError>>;

/// A directory that says what the test puts into it; whoever is not in it is unknown.
struct Directory {
    name: &'static str,
    answers: Mutex<Answers>,
}

impl Directory {
    fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            answers: Mutex::default(),
        })
    }

    fn says(&self, login: &str, answer: ProviderAnswer) {
        self.answers.lock().unwrap().insert(login.to_owned(), Ok(answer));
    }

    fn is_away_for(&self, login: &str) {
        let away = ProviderError::Unavailable("connection refused".to_owned());
        self.answers.lock().unwrap().insert(login.to_owned(), Err(away));
    }

    fn knows(&self, login: &str, external_id: &str) {
        let identity = Identity {
            external_id: Some(external_id.to_owned()),
            localpart: login.to_owned(),
            display_name: Some(format!("{login} of the company")),
            mail: Some(format!("{login}@Company.example")),
            is_admin: None,
            password_warning: None,
        };
        self.says(login, ProviderAnswer::Accepted(identity));
    }
}

impl PasswordProvider for Directory {
    fn name(&self) -> &'static str {
        self.name
    }

    fn check<'a>(
        &'a self,
        login: &'a str,
        _password: &'a str,
    ) -> BoxFuture<'a, Result<ProviderAnswer, ProviderError>> {
        let answer = self.answers.lock().unwrap().get(login).cloned();
        Box::pin(async move { answer.unwrap_or(Ok(ProviderAnswer::Unknown)) })
    }
}

async fn with(server: &TestServer, directories: &[&Arc<Directory>]) -> TestServer {
    let providers = directories
        .iter()
        .map(|directory| Arc::clone(*directory) as Arc<dyn PasswordProvider>)
        .collect();
    server.restart(providers, |_| {}).await
}

on_both_databases! {
    async fn the_first_log_in_makes_the_account_and_later_ones_find_it(server: &TestServer) {
        let directory = Directory::new("ldap");
        directory.knows("ada", "uuid-1");
        let server = with(server, &[&directory]).await;
        let answer = server.log_in("Ada", "secret", json!({})).await.ok();
        assert_eq!(answer["user_id"], "@ada:example.org");
        let profile = server.accounts.profile(user_id!("@ada:example.org")).await.unwrap().unwrap();
        assert_eq!(profile.display_name.as_deref(), Some("ada of the company"));
        let token = answer["access_token"].as_str().unwrap();
        let capabilities = server.get("/_matrix/client/v3/capabilities", token).await.ok();
        assert_eq!(capabilities["capabilities"]["m.change_password"]["enabled"], false);
        let change = json!({ "new_password": "x" });
        let refusal = server.post("/_matrix/client/v3/account/password", token, change).await;
        assert_eq!(refusal.refusal(), (403, "M_FORBIDDEN"));
        let threepids = server.get("/_matrix/client/v3/account/3pid", token).await.ok();
        assert_eq!(threepids["threepids"][0]["address"], "ada@company.example");
        let by_mail = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.thirdparty", "medium": "email", "address": "Ada@company.example" },
            "password": "secret",
        });
        let again = server.post_open("/_matrix/client/v3/login", by_mail).await.ok();
        assert_eq!(again["user_id"], "@ada:example.org");
    }

    async fn a_renamed_person_keeps_the_account_and_a_new_person_of_the_name_does_not_get_it(server: &TestServer) {
        let directory = Directory::new("ldap");
        directory.knows("ada", "uuid-1");
        let server = with(server, &[&directory]).await;
        server.log_in("ada", "secret", json!({})).await.ok();
        directory.knows("ada.married", "uuid-1");
        directory.knows("ada", "uuid-2");
        let renamed = server.log_in("ada.married", "secret", json!({})).await.ok();
        assert_eq!(renamed["user_id"], "@ada:example.org");
        assert_eq!(server.log_in("ada", "secret", json!({})).await.refusal(), (403, "M_FORBIDDEN"));
    }

    async fn a_renamed_person_proves_who_they_are_by_the_new_name(server: &TestServer) {
        let directory = Directory::new("ldap");
        directory.knows("ada", "uuid-1");
        directory.knows("eve", "uuid-2");
        let server = with(server, &[&directory]).await;
        let ada = server.log_in("ada", "secret", json!({})).await.ok();
        directory.knows("ada.married", "uuid-1");
        directory.says("ada", ProviderAnswer::Unknown);
        let delete = async |name: &str| {
            let auth = json!({
                "type": "m.login.password", "password": "secret",
                "identifier": { "type": "m.id.user", "user": name },
            });
            let token = ada["access_token"].as_str().unwrap();
            server.post("/_matrix/client/v3/delete_devices", token, json!({ "devices": [], "auth": auth })).await
        };
        for other in ["ada", "eve"] {
            assert_eq!(delete(other).await.refusal(), (401, "M_FORBIDDEN"), "{other}");
        }
        delete("ada.married").await.ok();
    }

    async fn the_directory_says_who_administers(server: &TestServer) {
        let directory = Directory::new("ldap");
        let server = with(server, &[&directory]).await;
        for is_admin in [true, false] {
            let localpart = "ada".to_owned();
            let identity = Identity { localpart, is_admin: Some(is_admin), ..Identity::default() };
            directory.says("ada", ProviderAnswer::Accepted(identity));
            server.log_in("ada", "secret", json!({})).await.ok();
            assert_eq!(server.accounts.is_admin(user_id!("@ada:example.org")).await.unwrap(), is_admin);
        }
    }

    async fn a_local_account_is_never_taken_over(server: &TestServer) {
        let directory = Directory::new("ldap");
        directory.knows("root", "uuid-1");
        let server = with(server, &[&directory]).await;
        server.accounts.create_local_user("root", "local", true).await.unwrap();
        assert_eq!(server.log_in("root", "of the directory", json!({})).await.refusal(), (403, "M_FORBIDDEN"));
        server.log_in("root", "local", json!({})).await.ok();
    }

    async fn a_refusal_of_the_directory_stands_unless_the_account_is_local(server: &TestServer) {
        let directory = Directory::new("ldap");
        let second = Directory::new("second");
        let server = with(server, &[&directory, &second]).await;
        server.accounts.create_local_user("root", "local", true).await.unwrap();
        let refusals = [ProviderAnswer::WrongPassword, ProviderAnswer::Refused {
            told: Refusal::Nothing,
            reason: "not_in_login_group".to_owned(),
        }];
        for refusal in refusals {
            directory.says("ada", refusal.clone());
            directory.says("root", refusal);
            // The second directory would accept, and is not asked.
            second.knows("ada", "uuid-2");
            assert_eq!(server.log_in("ada", "secret", json!({})).await.refusal(), (403, "M_FORBIDDEN"));
            server.log_in("root", "local", json!({})).await.ok();
            assert_eq!(server.log_in("root", "wrong", json!({})).await.refusal(), (403, "M_FORBIDDEN"));
        }
        second.knows("eve", "uuid-3");
        server.log_in("eve", "secret", json!({})).await.ok();
    }

    async fn while_the_directory_is_away_local_accounts_and_sessions_go_on(server: &TestServer) {
        let directory = Directory::new("ldap");
        directory.knows("ada", "uuid-1");
        let server = with(server, &[&directory]).await;
        server.accounts.create_local_user("root", "local", true).await.unwrap();
        let ada = server.log_in("ada", "secret", json!({})).await.ok();
        for name in ["ada", "root", "unknown"] {
            directory.is_away_for(name);
        }
        server.whoami(ada["access_token"].as_str().unwrap()).await.ok();
        server.log_in("root", "local", json!({})).await.ok();
        for name in ["ada", "unknown"] {
            assert_eq!(server.log_in(name, "secret", json!({})).await.refusal(), (503, "M_UNKNOWN"), "{name}");
        }
    }

    async fn without_local_accounts_only_local_administrators_come_in(server: &TestServer) {
        server.register("alice").await;
        server.accounts.create_local_user("root", "local", true).await.unwrap();
        let server = server.restart(vec![], |options| options.passwords.local_accounts = false).await;
        assert_eq!(server.log_in("alice", "pw-alice", json!({})).await.refusal(), (403, "M_FORBIDDEN"));
        server.log_in("root", "local", json!({})).await.ok();
    }
}
