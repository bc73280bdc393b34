//! Encryption on a database of a test's own, and another server that says what the test wants.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::{BTreeMap, HashMap},
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
    EncryptionDefault, EventDraft, JoinRequest, NoticeOptions, PublishPolicy, Reader, Room, Rooms,
    RoomsOptions,
};
use echorift_storage::{Clock, Database, DatabaseOptions, Names, Position, Timestamp, UserNumber};
use echorift_web::RateLimits;
use parking_lot::Mutex;
use ruma::{
    OwnedUserId, RoomVersionId, ServerName, UserId,
    api::{
        client::room::create_room::v3::{Request, RoomPreset},
        federation::{
            device::get_devices,
            keys::{claim_keys, get_keys},
        },
    },
    events::StateEventType,
    owned_server_name,
    serde::Raw,
};
use serde_json::{Value, json, value::to_raw_value};
use sqlx::{Connection as _, PgConnection};

use crate::{Encryption, RemoteFailure, RemoteFuture, RemoteKeys};

/// Encryption of `one.example`, with a clock that stands still.
pub(crate) struct TestServer {
    pub(crate) encryption: Encryption,
    pub(crate) rooms: Rooms,
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    pub(crate) peer: Arc<FakePeer>,
    files: Files,
}

struct Files {
    folder: tempfile::TempDir,
    /// The name and the administrator's URL, if it is to be dropped at the end.
    postgres: Option<(String, String)>,
    url: String,
}

/// What other servers would answer, and how often they were asked.
#[derive(Default)]
pub(crate) struct FakePeer {
    lists: Mutex<HashMap<OwnedUserId, Value>>,
    queried: Mutex<Value>,
    claimed: Mutex<Value>,
    pub(crate) lists_asked: AtomicU32,
    pub(crate) queries_asked: AtomicU32,
}

impl FakePeer {
    /// Has `GET /user/devices` answer with this; `None` if the server is away.
    pub(crate) fn set_list(&self, user: &UserId, answer: Option<Value>) {
        let mut lists = self.lists.lock();
        match answer {
            Some(answer) => drop(lists.insert(user.to_owned(), answer)),
            None => drop(lists.remove(user)),
        }
    }

    pub(crate) fn set_query(&self, answer: Value) {
        *self.queried.lock() = answer;
    }

    pub(crate) fn set_claim(&self, answer: Value) {
        *self.claimed.lock() = answer;
    }

    pub(crate) fn lists_asked(&self) -> u32 {
        self.lists_asked.load(Ordering::Relaxed)
    }
}

fn away() -> RemoteFailure {
    RemoteFailure {
        errcode: "M_UNREACHABLE".to_owned(),
        error: "It is away.".to_owned(),
    }
}

fn keys_in<T: serde::de::DeserializeOwned>(answer: &Value, field: &str) -> BTreeMap<OwnedUserId, T> {
    answer
        .get(field)
        .map(|keys| serde_json::from_value(keys.clone()).unwrap())
        .unwrap_or_default()
}

impl RemoteKeys for FakePeer {
    fn query<'a>(
        &'a self,
        _server: &'a ServerName,
        _request: get_keys::v1::Request,
    ) -> RemoteFuture<'a, get_keys::v1::Response> {
        self.queries_asked.fetch_add(1, Ordering::Relaxed);
        let answer = self.queried.lock().clone();
        Box::pin(async move {
            if answer.is_null() {
                return Err(away());
            }
            let mut response = get_keys::v1::Response::new(keys_in(&answer, "device_keys"));
            response.master_keys = keys_in(&answer, "master_keys");
            response.self_signing_keys = keys_in(&answer, "self_signing_keys");
            Ok(response)
        })
    }

    fn claim<'a>(
        &'a self,
        _server: &'a ServerName,
        _request: claim_keys::v1::Request,
    ) -> RemoteFuture<'a, claim_keys::v1::Response> {
        let answer = self.claimed.lock().clone();
        Box::pin(async move {
            if answer.is_null() {
                return Err(away());
            }
            Ok(claim_keys::v1::Response::new(
                serde_json::from_value(answer).unwrap(),
            ))
        })
    }

    fn devices<'a>(&'a self, user: &'a UserId) -> RemoteFuture<'a, get_devices::v1::Response> {
        self.lists_asked.fetch_add(1, Ordering::Relaxed);
        let answer = self.lists.lock().get(user).cloned();
        Box::pin(async move {
            let answer = answer.ok_or_else(away)?;
            let user_id = UserId::parse(answer["user_id"].as_str().unwrap()).unwrap();
            let stream_id = serde_json::from_value(answer["stream_id"].clone()).unwrap();
            let mut response = get_devices::v1::Response::new(user_id, stream_id);
            response.devices = serde_json::from_value(answer["devices"].clone()).unwrap();
            let key = |field: &str| {
                answer
                    .get(field)
                    .map(|key| Raw::from_json(to_raw_value(key).unwrap()))
            };
            response.master_key = key("master_key");
            response.self_signing_key = key("self_signing_key");
            Ok(response)
        })
    }
}

/// Keys of a device, of the right form.
pub(crate) fn device_keys(user: &str, device: &str) -> Value {
    json!({
        "user_id": user,
        "device_id": device,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": { format!("curve25519:{device}"): "curve", format!("ed25519:{device}"): "ed" },
        "signatures": { user: { format!("ed25519:{device}"): "signature" } },
    })
}

/// An answer to `GET /user/devices`.
pub(crate) fn device_list(user: &str, stream_id: i64, devices: &[&str]) -> Value {
    let devices: Vec<Value> = devices
        .iter()
        .map(|device| json!({ "device_id": device, "keys": device_keys(user, device) }))
        .collect();
    json!({ "user_id": user, "stream_id": stream_id, "devices": devices })
}

/// A cross-signing key, of the right form.
pub(crate) fn cross_signing_key(user: &str, usage: &str, public: &str) -> Value {
    json!({ "user_id": user, "usage": [usage], "keys": { format!("ed25519:{public}"): public } })
}

impl TestServer {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let files = Files {
            folder,
            postgres: None,
            url,
        };
        Self::open(files, Arc::default()).await
    }

    /// `None` where no PostgreSQL is at hand, which fails in CI.
    pub(crate) async fn postgres() -> Option<Self> {
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
            "encryption_{}_{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        run(&admin_url, format!("DROP DATABASE IF EXISTS {name}")).await;
        run(&admin_url, format!("CREATE DATABASE {name}")).await;
        let (server, _) = admin_url.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        let folder = tempfile::tempdir().unwrap();
        let postgres = Some((name, admin_url));
        let files = Files {
            folder,
            postgres,
            url,
        };
        Some(Self::open(files, Arc::default()).await)
    }

    async fn open(files: Files, peer: Arc<FakePeer>) -> Self {
        let options = DatabaseOptions {
            url: files.url.clone(),
            max_connections: 4,
        };
        let database = Database::open(&options).await.unwrap();
        let clock = Clock::manual(Timestamp(1_700_000_000_000));
        let users = Names::users(&database);
        let server_name = owned_server_name!("one.example");
        let options = AccountsOptions {
            server_name: server_name.clone(),
            public_base_url: "http://localhost".to_owned(),
            data_dir: files.folder.path().to_owned(),
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
            limits,
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
        let encryption = Encryption::start(&database, &rooms, &accounts);
        database.log().listen(vec![encryption.listener()]);
        // Without the task that fetches in the background: tests say when.
        encryption.federate_quietly(Arc::clone(&peer) as Arc<dyn RemoteKeys>);
        Self {
            encryption,
            rooms,
            accounts,
            clock,
            database,
            peer,
            files,
        }
    }

    /// The same database as a server sees it that was just started: with nothing in memory.
    pub(crate) async fn restart(self) -> Self {
        let Self { peer, files, .. } = self;
        Self::open(files, peer).await
    }

    pub(crate) async fn end(self) {
        let Self { files, .. } = self;
        if let Some((name, admin_url)) = files.postgres {
            run(&admin_url, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    /// Makes an account with a device of that name in capitals.
    pub(crate) async fn register(&self, name: &str) -> OwnedUserId {
        let user = self
            .accounts
            .create_local_user(name, "correct horse battery staple", false)
            .await
            .unwrap();
        let number = self.number(&user).await;
        self.sql(
            "INSERT INTO devices (user_number, device_id, display_name, created_ts) VALUES ($1, $2, 'Phone', 0)",
            vec![number.into(), name.to_uppercase().into()],
        )
        .await;
        user
    }

    pub(crate) async fn sql(&self, sql: &'static str, values: Vec<echorift_storage::Value>) {
        let step = self
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { tx.execute(sql, &values).await }));
        step.await.unwrap();
    }

    pub(crate) async fn number(&self, user: &UserId) -> UserNumber {
        self.rooms.user_number(user).await.unwrap()
    }

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

    pub(crate) async fn join(&self, room: &Arc<Room>, user: &UserId) {
        self.rooms
            .join(&self.accounts, room, user, JoinRequest::default())
            .await
            .unwrap();
    }

    /// Sets the membership of a user of another server, as their own event does.
    pub(crate) async fn set_membership(&self, room: &Arc<Room>, user: &UserId, membership: &str) {
        let content = to_raw_value(&json!({ "membership": membership })).unwrap();
        let draft = EventDraft::state(user, StateEventType::RoomMember, user.as_str(), content);
        self.rooms.append(room, draft).await.unwrap();
    }

    /// Whose devices a client of the user is to look at again, having heard everything up to `after`, and whose no more.
    pub(crate) async fn lists(&self, user: &UserId, after: Position) -> (Vec<String>, Vec<String>) {
        let reader = Reader {
            user: self.number(user).await,
            user_id: user.to_owned(),
            session_number: None,
            ignored: Default::default(),
        };
        let lists = self
            .encryption
            .device_lists(&reader, after, self.encryption.now())
            .await
            .unwrap();
        let texts = |users: Vec<OwnedUserId>| users.into_iter().map(|user| user.to_string()).collect();
        (texts(lists.changed), texts(lists.left))
    }

    /// What a client of the user is told of the devices of one user.
    pub(crate) async fn query(&self, reader: &UserId, user: &UserId) -> Value {
        let wanted = BTreeMap::from([(user.to_owned(), Vec::new())]);
        let reader = self.number(reader).await;
        let response = self
            .encryption
            .query_keys(reader, wanted, Duration::from_secs(5))
            .await
            .unwrap();
        json!({
            "device_keys": response.device_keys,
            "master_keys": response.master_keys,
            "self_signing_keys": response.self_signing_keys,
            "failures": response.failures,
        })
    }

    /// The IDs of the devices that a client of the user is told of.
    pub(crate) async fn devices_seen(&self, reader: &UserId, user: &UserId) -> Vec<String> {
        let answer = self.query(reader, user).await;
        let devices = answer["device_keys"].get(user.as_str());
        let devices = devices.and_then(Value::as_object).into_iter().flatten();
        devices.map(|(device, _)| device.clone()).collect()
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
    ($(async fn $name:ident($server:ident: TestServer) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every test needs all of them")]
            use super::*;

            #[allow(unused_mut, reason = "some tests start the server again")]
            async fn test(mut $server: $crate::testing::TestServer) -> $crate::testing::TestServer {
                $body
                $server
            }

            #[tokio::test]
            async fn sqlite() {
                let server = $crate::testing::TestServer::sqlite().await;
                test(server).await.end().await;
            }

            #[tokio::test]
            async fn postgres() {
                let Some(server) = $crate::testing::TestServer::postgres().await else { return };
                test(server).await.end().await;
            }
        })+
    };
}
pub(crate) use on_both_databases;
