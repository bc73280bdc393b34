//! Rooms on a database of a test's own.
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
use echorift_storage::{Clock, Database, DatabaseOptions, Names, Timestamp, UserNumber};
use echorift_web::RateLimits;
use ruma::{
    OwnedServerName, OwnedUserId, RoomVersionId, UserId,
    api::{
        IncomingRequestExt as _,
        client::room::create_room::v3::{Request, RoomPreset},
    },
    events::{StateEventType, room::member::MembershipState},
    owned_server_name,
};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::{Event, EventDraft, PublishPolicy, Room, RoomError, Rooms, RoomsOptions};

/// The room engine of `one.example`, with accounts and a clock that stands still.
pub(crate) struct TestRooms {
    pub(crate) rooms: Rooms,
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
    database: TestDatabase,
}

struct TestDatabase {
    folder: tempfile::TempDir,
    /// The name and the administrator's URL, if it is to be dropped at the end.
    postgres: Option<(String, String)>,
    url: String,
    server_name: OwnedServerName,
}

impl TestRooms {
    /// On a fresh SQLite file.
    pub(crate) async fn start() -> Self {
        Self::start_as(owned_server_name!("one.example")).await
    }

    /// On a fresh SQLite file, as another server.
    pub(crate) async fn start_as(server_name: OwnedServerName) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::open(TestDatabase {
            folder,
            postgres: None,
            url,
            server_name,
        })
        .await
    }

    /// On a fresh PostgreSQL database; `None` where none is at hand, which fails in CI.
    pub(crate) async fn start_on_postgres() -> Option<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let Ok(admin_url) = std::env::var("ECHORIFT_TEST_POSTGRES") else {
            assert!(
                std::env::var_os("CI").is_none(),
                "ECHORIFT_TEST_POSTGRES is not set"
            );
            eprintln!(
                "not run on PostgreSQL: set ECHORIFT_TEST_POSTGRES=postgres://admin@host/postgres, or `make test`"
            );
            return None;
        };
        let name = format!(
            "rooms_{}_{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        run(&admin_url, format!("DROP DATABASE IF EXISTS {name}")).await;
        run(&admin_url, format!("CREATE DATABASE {name}")).await;
        let (server, _) = admin_url.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        let folder = tempfile::tempdir().unwrap();
        Some(
            Self::open(TestDatabase {
                folder,
                postgres: Some((name, admin_url)),
                url,
                server_name: owned_server_name!("one.example"),
            })
            .await,
        )
    }

    async fn open(database: TestDatabase) -> Self {
        let options = DatabaseOptions {
            url: database.url.clone(),
            max_connections: 4,
        };
        let opened = Database::open(&options).await.unwrap();
        let clock = Clock::manual(Timestamp(1_700_000_000_000));
        let users = Names::users(&opened);
        let options = AccountsOptions {
            server_name: database.server_name.clone(),
            public_base_url: "http://localhost".to_owned(),
            data_dir: database.folder.path().to_owned(),
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
        let accounts = Accounts::start(options, &opened, users.clone(), clock.clone(), limits, Vec::new())
            .await
            .unwrap();
        let server_name = database.server_name.clone();
        let options = RoomsOptions {
            encryption: crate::EncryptionDefault::Off,
            notices: crate::NoticeOptions {
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
        let rooms = Rooms::new(options, &opened, users, clock.clone());
        Self {
            rooms,
            accounts,
            clock,
            database,
        }
    }

    /// The same database as a server sees it that was just started: with nothing in memory.
    pub(crate) async fn restart(self) -> Self {
        let Self {
            rooms,
            accounts,
            database,
            ..
        } = self;
        drop((rooms, accounts));
        Self::open(database).await
    }

    pub(crate) async fn end(self) {
        let Self {
            rooms,
            accounts,
            database,
            ..
        } = self;
        drop((rooms, accounts));
        if let Some((name, admin_url)) = database.postgres {
            run(&admin_url, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    /// Makes an account; its user ID.
    pub(crate) async fn register(&self, name: &str) -> OwnedUserId {
        self.accounts
            .create_local_user(name, "correct horse battery staple", false)
            .await
            .unwrap()
    }

    pub(crate) async fn number(&self, user: &UserId) -> UserNumber {
        self.rooms.user_number(user).await.unwrap()
    }

    /// A public room, of version 12 and with shared history.
    pub(crate) async fn public_room(&self, creator: &UserId) -> Arc<Room> {
        let request = Request {
            preset: Some(RoomPreset::PublicChat),
            ..Request::new()
        };
        self.rooms
            .create_room(&self.accounts, creator, request)
            .await
            .unwrap()
    }

    pub(crate) async fn create(&self, creator: &UserId, request: Value) -> Result<Arc<Room>, RoomError> {
        self.rooms
            .create_room(&self.accounts, creator, create_request(&request))
            .await
    }

    pub(crate) async fn join(&self, room: &Arc<Room>, user: &UserId) -> Result<(), RoomError> {
        self.rooms
            .join(&self.accounts, room, user, crate::JoinRequest::default())
            .await
    }

    pub(crate) async fn invite(
        &self,
        room: &Arc<Room>,
        inviter: &UserId,
        invitee: &UserId,
    ) -> Result<(), RoomError> {
        self.rooms
            .invite(&self.accounts, room, (inviter, invitee), None)
            .await
    }

    /// Sends a state event.
    pub(crate) async fn set(
        &self,
        room: &Arc<Room>,
        sender: &UserId,
        (event_type, state_key): (&str, &str),
        content: Value,
    ) -> Result<Arc<Event>, RoomError> {
        let content = serde_json::value::to_raw_value(&content).unwrap();
        let draft = EventDraft::state(sender, StateEventType::from(event_type), state_key, content);
        self.rooms.append(room, draft).await
    }

    /// Sends a text message.
    pub(crate) async fn send(
        &self,
        room: &Arc<Room>,
        sender: &UserId,
        body: &str,
    ) -> Result<Arc<Event>, RoomError> {
        let content = serde_json::value::to_raw_value(&json!({ "msgtype": "m.text", "body": body })).unwrap();
        self.rooms
            .append(
                room,
                EventDraft::message(sender, "m.room.message".into(), content),
            )
            .await
    }

    /// The content of a state event of the room, `null` if there is none.
    pub(crate) async fn content(&self, room: &Room, event_type: &str, state_key: &str) -> Value {
        let state = room.view().state.clone();
        let event = self
            .rooms
            .state_event(&state, event_type, state_key)
            .await
            .unwrap();
        event.map_or(Value::Null, |event| event.pdu.content_as().unwrap())
    }

    pub(crate) async fn membership(&self, room: &Room, user: &UserId) -> Option<MembershipState> {
        let state = room.view().state.clone();
        self.rooms
            .membership(&state, user)
            .await
            .unwrap()
            .map(|(membership, _)| membership)
    }
}

/// The request that a client would send with this body.
pub(crate) fn create_request(body: &Value) -> Request {
    let request = axum::http::Request::post("/_matrix/client/v3/createRoom");
    let body = serde_json::to_vec(body).unwrap();
    Request::try_from_http_request(request.body(&*body).unwrap(), &[] as &[&str]).unwrap()
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
    ($(async fn $name:ident($server:ident: &TestRooms) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every test needs all of them")]
            use super::*;

            async fn test($server: &$crate::testing::TestRooms) $body

            #[tokio::test]
            async fn sqlite() {
                let server = $crate::testing::TestRooms::start().await;
                test(&server).await;
                server.end().await;
            }

            #[tokio::test]
            async fn postgres() {
                let Some(server) = $crate::testing::TestRooms::start_on_postgres().await else { return };
                test(&server).await;
                server.end().await;
            }
        })+
    };
}
pub(crate) use on_both_databases;
