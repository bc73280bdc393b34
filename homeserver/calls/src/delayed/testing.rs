//! Delayed events on a database of a test's own, with a clock that stands still and no timer.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use echorift_accounts::{
    Accounts, AccountsOptions, OAuthOptions, PasswordOptions, RegistrationOptions, SessionOptions,
};
use echorift_events::SigningKey;
use echorift_rooms::{
    DelayId, EncryptionDefault, EventDraft, NoticeOptions, Postponed, PublishPolicy, Room, Rooms,
    RoomsOptions,
};
use echorift_storage::{Clock, Database, DatabaseOptions, Names, Timestamp, UserNumber};
use echorift_web::{RateLimits, Session};
use ruma::{
    OwnedUserId, RoomVersionId, UserId,
    api::client::room::create_room::v3::{Request, RoomPreset},
    owned_server_name,
};
use serde_json::{Value, json, value::to_raw_value};
use sqlx::{Connection as _, PgConnection};

use super::{DelayedEvent, DelayedEventOptions, DelayedEvents};

pub(super) struct TestDelays {
    pub delayed: DelayedEvents,
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub clock: Clock,
    /// The name and the administrator's URL, if it is to be dropped at the end.
    postgres: Option<(String, String)>,
    _folder: tempfile::TempDir,
}

impl TestDelays {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::open(folder, url, None).await
    }

    /// `None` where no PostgreSQL is at hand, which fails in CI.
    pub async fn start_on_postgres() -> Option<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let Ok(admin_url) = std::env::var("ECHORIFT_TEST_POSTGRES") else {
            assert!(
                std::env::var_os("CI").is_none(),
                "ECHORIFT_TEST_POSTGRES is not set"
            );
            return None;
        };
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("calls_{}_{count}", std::process::id());
        run(&admin_url, format!("DROP DATABASE IF EXISTS {name}")).await;
        run(&admin_url, format!("CREATE DATABASE {name}")).await;
        let (server, _) = admin_url.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        Some(Self::open(tempfile::tempdir().unwrap(), url, Some((name, admin_url))).await)
    }

    async fn open(folder: tempfile::TempDir, url: String, postgres: Option<(String, String)>) -> Self {
        let options = DatabaseOptions {
            url,
            max_connections: 4,
        };
        let database = Database::open(&options).await.unwrap();
        let clock = Clock::manual(Timestamp(1_700_000_000_000));
        let users = Names::users(&database);
        let server_name = owned_server_name!("one.example");
        let options = AccountsOptions {
            server_name: server_name.clone(),
            public_base_url: "http://localhost".to_owned(),
            data_dir: folder.path().to_owned(),
            registration: RegistrationOptions::default(),
            passwords: PasswordOptions {
                local_accounts: true,
                hash_memory_kib: 8,
                hash_iterations: 1,
            },
            sessions: SessionOptions {
                access_token_lifetime: Duration::from_secs(900),
                refresh_token_lifetime: Duration::from_secs(86_400),
                without_refresh_lifetime: Duration::from_secs(86_400),
            },
            default_room_version: RoomVersionId::V12,
            url_previews: true,
            bots: Default::default(),
            oauth: OAuthOptions::default(),
        };
        let limits = Arc::new(RateLimits::off());
        let accounts = Accounts::start(
            options,
            &database,
            users.clone(),
            clock.clone(),
            Arc::clone(&limits),
            Vec::new(),
        )
        .await
        .unwrap();
        let options = RoomsOptions {
            encryption: EncryptionDefault::Off,
            notices: NoticeOptions {
                localpart: "notices".to_owned(),
                display_name: "Server notices".to_owned(),
                avatar_url: None,
                room_name: "Server notices".to_owned(),
            },
            signing_key: SigningKey::from_seed(&server_name, "1", &[7; 32]).unwrap(),
            server_name,
            default_version: RoomVersionId::V12,
            publish: PublishPolicy::Everyone,
            directory_without_login: false,
            event_cache_bytes: 16 << 20,
            loaded_rooms: 1_000,
        };
        let rooms = Rooms::new(options, &database, users, clock.clone());
        let options = DelayedEventOptions {
            delay_max: Duration::from_secs(86_400),
            per_user_max: 5_000,
            unauthenticated: true,
        };
        // What the log tells of is not looked at.
        let (delayed, _) = DelayedEvents::new(options, &rooms, &accounts, limits);
        Self {
            delayed,
            rooms,
            accounts,
            clock,
            postgres,
            _folder: folder,
        }
    }

    pub async fn end(self) {
        let Self {
            delayed,
            rooms,
            accounts,
            postgres,
            ..
        } = self;
        drop((delayed, rooms, accounts));
        if let Some((name, admin_url)) = postgres {
            run(&admin_url, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    /// Somebody with an account, as a session on this device.
    pub async fn register(&self, name: &str, device: &str) -> Session {
        let password = "correct horse battery staple";
        let user_id = self
            .accounts
            .create_local_user(name, password, false)
            .await
            .unwrap();
        self.session(user_id, device).await
    }

    pub async fn session(&self, user_id: OwnedUserId, device: &str) -> Session {
        Session {
            service: None,
            user_number: self.number(&user_id).await.0,
            user_id,
            device_id: device.into(),
            session_number: 1,
            is_admin: false,
            is_guest: false,
            scopes: None,
        }
    }

    pub async fn number(&self, user: &UserId) -> UserNumber {
        self.rooms.user_number(user).await.unwrap()
    }

    /// A public room in which everybody may set state.
    pub async fn room(&self, creator: &Session) -> Arc<Room> {
        let mut request = Request::new();
        request.preset = Some(RoomPreset::PublicChat);
        let levels = to_raw_value(&json!({ "state_default": 0 })).unwrap();
        request.power_level_content_override = Some(ruma::serde::Raw::from_json(levels));
        self.rooms
            .create_room(&self.accounts, &creator.user_id, request)
            .await
            .unwrap()
    }

    /// Has `content` set in a minute.
    pub async fn set_later(
        &self,
        session: &Session,
        room: &Room,
        (event_type, state_key): (&str, &str),
        content: Value,
    ) -> DelayId {
        self.postpone(session, room, (event_type, Some(state_key)), content)
            .await
    }

    pub async fn say_later(&self, session: &Session, room: &Room, body: &str) -> DelayId {
        let content = json!({ "msgtype": "m.text", "body": body });
        self.postpone(session, room, ("m.room.message", None), content)
            .await
    }

    async fn postpone(
        &self,
        session: &Session,
        room: &Room,
        (event_type, state_key): (&str, Option<&str>),
        content: Value,
    ) -> DelayId {
        let event = Postponed {
            room_id: room.id.clone(),
            event_type: event_type.into(),
            state_key: state_key.map(ToOwned::to_owned),
            content: to_raw_value(&content).unwrap(),
            delay_ms: 60_000,
            sticky_duration_ms: None,
            transaction_id: None,
        };
        self.delayed.schedule(session, event).await.unwrap()
    }

    pub async fn set(
        &self,
        session: &Session,
        room: &Arc<Room>,
        event_type: &str,
        key: &str,
        content: Value,
    ) {
        let content = to_raw_value(&content).unwrap();
        let draft = EventDraft::state(&session.user_id, event_type.into(), key, content);
        self.rooms.append(room, draft).await.unwrap();
    }

    pub async fn content(&self, room: &Room, event_type: &str, key: &str) -> Value {
        let state = room.view().state.clone();
        let event = self.rooms.state_event(&state, event_type, key).await.unwrap();
        event.map_or(Value::Null, |event| event.pdu.content_as().unwrap())
    }

    pub async fn find(&self, id: &DelayId) -> DelayedEvent {
        self.delayed.find(id).await.unwrap().unwrap()
    }
}

async fn run(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
}

/// Runs each test once on either database.
macro_rules! on_both_databases {
    ($(async fn $name:ident($server:ident: &TestDelays) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every test needs all of them")]
            use super::*;

            async fn test($server: &TestDelays) $body

            #[tokio::test]
            async fn sqlite() {
                let server = TestDelays::start().await;
                test(&server).await;
                server.end().await;
            }

            #[tokio::test]
            async fn postgres() {
                let Some(server) = TestDelays::start_on_postgres().await else { return };
                test(&server).await;
                server.end().await;
            }
        })+
    };
}
pub(super) use on_both_databases;
