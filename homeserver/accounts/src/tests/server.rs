use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use axum::{Extension, Router, body::Body};
use echorift_storage::{Clock, Names, Timestamp};
use echorift_web::{ClientAddress, RateLimits};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use ruma::{RoomVersionId, owned_server_name};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::databases::TestDatabase;
use crate::{
    Accounts, AccountsOptions, OAuthOptions, PasswordOptions, PasswordProvider, RegistrationOptions,
    SessionOptions,
};

pub(crate) const SHARED_SECRET: &str = "shared secret";
pub(crate) const MINUTE_MS: i64 = 60_000;

/// The accounts of one server, with a clock that the test turns.
pub(crate) struct TestServer {
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
    router: Router,
    database: TestDatabase,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

/// What a browser gets.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    /// Where it is sent.
    pub(crate) location: Option<String>,
    /// The new cookie, `name=value`.
    pub(crate) cookie: Option<String>,
    pub(crate) html: String,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// Status and errcode of a refusal.
    #[track_caller]
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (
            self.status.as_u16(),
            self.body["errcode"].as_str().unwrap_or_default(),
        )
    }
}

/// Someone who is logged in.
pub(crate) struct TestUser {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) device_id: String,
}

impl TestUser {
    pub(crate) fn from_answer(answer: &Value) -> Self {
        let text = |field: &str| answer[field].as_str().unwrap().to_owned();
        Self {
            id: text("user_id"),
            token: text("access_token"),
            device_id: text("device_id"),
        }
    }
}

pub(crate) fn options(folder: &std::path::Path) -> AccountsOptions {
    AccountsOptions {
        server_name: owned_server_name!("example.org"),
        public_base_url: "https://chat.example.org".to_owned(),
        data_dir: folder.to_owned(),
        registration: RegistrationOptions {
            enabled: true,
            without_verification: true,
            by_email: false,
            allow_guests: false,
            recaptcha: None,
            token: None,
            shared_secret: Some(SHARED_SECRET.to_owned()),
        },
        passwords: PasswordOptions {
            local_accounts: true,
            hash_memory_kib: 64,
            hash_iterations: 1,
        },
        sessions: SessionOptions {
            access_token_lifetime: Duration::from_secs(15 * 60),
            refresh_token_lifetime: Duration::from_secs(7 * 24 * 3600),
            without_refresh_lifetime: Duration::from_secs(7 * 24 * 3600),
        },
        oauth: OAuthOptions::default(),
        default_room_version: RoomVersionId::V12,
        url_previews: true,
        bots: Default::default(),
    }
}

impl TestServer {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        Self::start_with(
            database,
            Clock::manual(Timestamp(1_800_000_000_000)),
            RateLimits::off(),
            vec![],
            |_| {},
        )
        .await
    }

    pub(crate) async fn start_with(
        database: TestDatabase,
        clock: Clock,
        limits: RateLimits,
        providers: Vec<Arc<dyn PasswordProvider>>,
        change: impl FnOnce(&mut AccountsOptions),
    ) -> Self {
        let mut options = options(database.folder.path());
        change(&mut options);
        // Someone else in this process may have been first.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let users = Names::users(&database.database);
        let accounts = Accounts::start(
            options,
            &database.database,
            users,
            clock.clone(),
            Arc::new(limits),
            providers,
        )
        .await
        .unwrap();
        let router = accounts
            .router()
            .layer(Extension(accounts.verifier()))
            .layer(Extension(ClientAddress(Some(IpAddr::V4(Ipv4Addr::new(
                192, 0, 2, 7,
            ))))));
        Self {
            accounts,
            clock,
            router,
            database,
        }
    }

    /// The same database with other settings, as after a restart.
    pub(crate) async fn restart(
        &self,
        providers: Vec<Arc<dyn PasswordProvider>>,
        change: impl FnOnce(&mut AccountsOptions),
    ) -> Self {
        let database = TestDatabase::shared(&self.database);
        Self::start_with(database, self.clock.clone(), RateLimits::off(), providers, change).await
    }

    /// The same database, with limits on requests.
    pub(crate) async fn limited(&self, limits: RateLimits) -> Self {
        let database = TestDatabase::shared(&self.database);
        Self::start_with(database, self.clock.clone(), limits, vec![], |_| {}).await
    }

    pub(crate) async fn drop(self) {
        let Self {
            accounts,
            router,
            database,
            ..
        } = self;
        drop((accounts, router));
        database.drop().await;
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        self.send_bytes(method, path, token, body).await
    }

    pub(crate) async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    /// Asks for a page as a browser with this cookie would.
    pub(crate) async fn page(&self, method: Method, path: &str, cookie: Option<&str>) -> Page {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let (status, location) = (response.status(), header("location"));
        let cookie = header("set-cookie").and_then(|set| set.split(';').next().map(ToOwned::to_owned));
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Page {
            status,
            location,
            cookie,
            html: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, Some(token), None).await
    }

    pub(crate) async fn put(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(token), Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str, body: Option<Value>) -> Answer {
        self.send(Method::DELETE, path, Some(token), body).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(token), Some(body)).await
    }

    /// Posts without a token.
    pub(crate) async fn post_open(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, None, Some(body)).await
    }

    /// Makes an account whose password is `pw-NAME`.
    pub(crate) async fn register(&self, name: &str) -> TestUser {
        let body = json!({ "username": name, "password": format!("pw-{name}"), "auth": { "type": "m.login.dummy" } });
        TestUser::from_answer(&self.post_open("/_matrix/client/v3/register", body).await.ok())
    }

    /// Logs in by password, with further fields of the request in `more`.
    pub(crate) async fn log_in(&self, name: &str, password: &str, more: Value) -> Answer {
        let mut body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": name },
            "password": password,
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.post_open("/_matrix/client/v3/login", body).await
    }

    pub(crate) async fn whoami(&self, token: &str) -> Answer {
        self.get("/_matrix/client/v3/account/whoami", token).await
    }
}

/// The `auth` of a request whose user proves who they are.
pub(crate) fn password_auth(name: &str, session: &Value) -> Value {
    json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": name },
        "password": format!("pw-{name}"),
        "session": session,
    })
}
