//! A sender with a network of its own: rooms on a test's database, and a transport that answers as the test says.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use echorift_accounts::{
    Accounts, AccountsOptions, OAuthOptions, PasswordOptions, RegistrationOptions, SessionOptions,
};
use echorift_events::SigningKey;
use echorift_rooms::{
    EncryptionDefault, Event, EventDraft, NoticeOptions, PublishPolicy, Room, Rooms, RoomsOptions,
};
use echorift_storage::{Clock, Database, DatabaseOptions, Names, Timestamp};
use echorift_web::RateLimits;
use http::StatusCode;
use parking_lot::Mutex;
use ruma::{
    OwnedServerName, OwnedUserId, RoomVersionId, ServerName, UserId,
    api::client::room::create_room::v3::{Request, RoomPreset},
    events::StateEventType,
    owned_server_name,
};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::broadcast;

use super::{
    DurableEdus, Outbound, OutboundParts, TransactionBody, Transport,
    transport::{SendFailure, Sending},
};
use crate::{
    Policy,
    policy::{Glob, PolicyOptions},
};

/// How long a server that failed is left alone, unless a test says otherwise.
const BACK_OFF_MS: i64 = 40;

/// A transaction as its destination saw it.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub server: OwnedServerName,
    pub transaction_id: String,
    pub body: Value,
    /// Where the body lies in memory.
    pub address: usize,
}

/// How a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Takes,
    /// Fails at once.
    Away,
    /// Takes nothing and says so after a while.
    Silent(Duration),
    /// Takes it after a while.
    Slow(Duration),
    /// Takes it and forgets it.
    Swallows,
    /// Refuses transactions in which this text stands.
    Refuses(&'static str),
}

pub(super) struct Network {
    heard_of: broadcast::Sender<OwnedServerName>,
    manners: Mutex<HashMap<OwnedServerName, Manner>>,
    received: Mutex<Vec<Received>>,
    under_way: Mutex<HashSet<OwnedServerName>>,
    due: Mutex<HashMap<OwnedServerName, Timestamp>>,
    /// The IDs of all transactions, also of those that failed.
    pub transaction_ids: Mutex<Vec<String>>,
    attempts: AtomicU32,
    /// Instead of [`BACK_OFF_MS`], if it is not 0.
    pub back_off_ms: AtomicI64,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            heard_of: broadcast::Sender::new(16),
            manners: Mutex::default(),
            received: Mutex::default(),
            under_way: Mutex::default(),
            due: Mutex::default(),
            transaction_ids: Mutex::default(),
            attempts: AtomicU32::new(0),
            back_off_ms: AtomicI64::new(0),
        }
    }
}

impl Network {
    /// The server answers again and asks us something.
    pub fn hear_of(&self, server: &ServerName) {
        self.set(server, Manner::Takes);
        self.due.lock().remove(server);
        let _ = self.heard_of.send(server.to_owned());
    }

    pub fn set(&self, server: &ServerName, manner: Manner) {
        self.manners.lock().insert(server.to_owned(), manner);
    }

    pub fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::SeqCst)
    }

    pub fn received_by(&self, server: &ServerName) -> Vec<Received> {
        let received = self.received.lock();
        received
            .iter()
            .filter(|received| received.server == server)
            .cloned()
            .collect()
    }

    /// What was under way when a server was killed is not.
    pub fn forget_under_way(&self) {
        self.under_way.lock().clear();
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().clone()
    }

    /// The bodies of the messages that a server has, and for other events their types.
    pub fn messages(&self, server: &ServerName) -> Vec<String> {
        let received = self.received_by(server);
        let pdus = received
            .iter()
            .flat_map(|received| received.body["pdus"].as_array().unwrap());
        let described = pdus.map(|pdu| match pdu["content"]["body"].as_str() {
            Some(body) => body.to_owned(),
            None => match pdu["content"]["membership"].as_str() {
                Some(membership) => format!("{membership} {}", pdu["state_key"].as_str().unwrap()),
                None => pdu["type"].as_str().unwrap().to_owned(),
            },
        });
        described.collect()
    }

    pub fn edus(&self, server: &ServerName) -> Vec<Value> {
        let received = self.received_by(server);
        let edus = received
            .iter()
            .filter_map(|received| received.body["edus"].as_array());
        edus.flatten().cloned().collect()
    }
}

impl Transport for Network {
    fn send<'a>(
        &'a self,
        destination: &'a ServerName,
        transaction_id: &'a str,
        body: &'a Arc<TransactionBody>,
    ) -> Sending<'a> {
        Box::pin(async move {
            self.attempts.fetch_add(1, Ordering::SeqCst);
            self.transaction_ids.lock().push(transaction_id.to_owned());
            assert!(
                self.under_way.lock().insert(destination.to_owned()),
                "two transactions to {destination} at a time"
            );
            let manner = self
                .manners
                .lock()
                .get(destination)
                .copied()
                .unwrap_or(Manner::Takes);
            if let Manner::Silent(time) | Manner::Slow(time) = manner {
                tokio::time::sleep(time).await;
            }
            self.under_way.lock().remove(destination);
            let fail = |reason: &str| {
                let back_off = self.back_off_ms.load(Ordering::SeqCst).max(BACK_OFF_MS);
                let due = Clock::system().now().plus_ms(back_off);
                self.due.lock().insert(destination.to_owned(), due);
                Err(SendFailure::Later {
                    reason: reason.to_owned(),
                    is_refusal: false,
                })
            };
            match manner {
                Manner::Away | Manner::Silent(_) => return fail("away"),
                Manner::Refuses(text)
                    if std::str::from_utf8(body.json.as_bytes()).unwrap().contains(text) =>
                {
                    return Err(SendFailure::of_status(StatusCode::BAD_REQUEST, "no".to_owned()));
                }
                _ => {}
            }
            if manner == Manner::Swallows {
                return Ok(());
            }
            self.due.lock().remove(destination);
            self.received.lock().push(Received {
                server: destination.to_owned(),
                transaction_id: transaction_id.to_owned(),
                body: serde_json::from_slice(body.json.as_bytes()).unwrap(),
                address: body.json.as_bytes().as_ptr().addr(),
            });
            Ok(())
        })
    }

    fn due_at(&self, destination: &ServerName) -> Option<Timestamp> {
        let due = self.due.lock().get(destination).copied()?;
        (due > Clock::system().now()).then_some(due)
    }

    fn heard_of(&self) -> broadcast::Receiver<OwnedServerName> {
        self.heard_of.subscribe()
    }
}

/// `one.example` and its network.
pub(super) struct TestSender {
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub database: Database,
    pub network: Arc<Network>,
    pub outbound: Outbound,
    place: Arc<Place>,
}

struct Place {
    folder: tempfile::TempDir,
    /// The name and the administrator's URL, if it is to be dropped at the end.
    postgres: Option<(String, String)>,
    url: String,
}

impl TestSender {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let place = Place {
            folder,
            postgres: None,
            url,
        };
        Self::open(Arc::new(place), Arc::default(), None).await
    }

    /// On a fresh PostgreSQL database; `None` where none is at hand, which fails in CI.
    pub async fn start_on_postgres() -> Option<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let Ok(admin_url) = std::env::var("ECHORIFT_TEST_POSTGRES") else {
            assert!(
                std::env::var_os("CI").is_none(),
                "ECHORIFT_TEST_POSTGRES is not set"
            );
            eprintln!("not run on PostgreSQL: set ECHORIFT_TEST_POSTGRES, or `make test`");
            return None;
        };
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("outbound_{}_{count}", std::process::id());
        run(&admin_url, format!("DROP DATABASE IF EXISTS {name}")).await;
        run(&admin_url, format!("CREATE DATABASE {name}")).await;
        let (server, _) = admin_url.rsplit_once('/').unwrap();
        let place = Place {
            folder: tempfile::tempdir().unwrap(),
            url: format!("{server}/{name}"),
            postgres: Some((name, admin_url)),
        };
        Some(Self::open(Arc::new(place), Arc::default(), None).await)
    }

    async fn open(place: Arc<Place>, network: Arc<Network>, durable: Option<Arc<dyn DurableEdus>>) -> Self {
        let options = DatabaseOptions {
            url: place.url.clone(),
            max_connections: 4,
        };
        let database = Database::open(&options).await.unwrap();
        let users = Names::users(&database);
        let clock = Clock::system();
        let limits = Arc::new(RateLimits::off());
        let options = accounts_options(place.folder.path());
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
        let rooms = Rooms::new(rooms_options(), &database, users, clock.clone());
        let parts = OutboundParts {
            rooms: rooms.clone(),
            clock,
            policy: Policy::new(owned_server_name!("one.example"), policy_options()),
            transport: Arc::clone(&network) as Arc<dyn Transport>,
        };
        let outbound = Outbound::start(parts).await.unwrap();
        if let Some(durable) = durable {
            assert!(outbound.keep_durable_edus(durable));
        }
        assert!(database.log().listen(vec![outbound.listener()]));
        outbound.run();
        Self {
            rooms,
            accounts,
            database,
            network,
            outbound,
            place,
        }
    }

    /// The same server after it was stopped and started, or after it was killed.
    pub async fn restart(&self, is_orderly: bool, durable: Option<Arc<dyn DurableEdus>>) -> Self {
        if is_orderly {
            self.outbound.stop().await.unwrap();
        } else {
            self.outbound.0.stopping.send_replace(true);
        }
        Self::open(Arc::clone(&self.place), Arc::clone(&self.network), durable).await
    }

    pub async fn end(&self) {
        self.outbound.stop().await.unwrap();
        if let Some((name, admin_url)) = &self.place.postgres {
            run(admin_url, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }

    pub async fn register(&self, name: &str) -> OwnedUserId {
        let created = self
            .accounts
            .create_local_user(name, "correct horse battery staple", false);
        created.await.unwrap()
    }

    pub async fn public_room(&self, creator: &UserId) -> Arc<Room> {
        let request = Request {
            preset: Some(RoomPreset::PublicChat),
            ..Request::new()
        };
        self.rooms
            .create_room(&self.accounts, creator, request)
            .await
            .unwrap()
    }

    /// Changes a membership; also those of users of other servers, as if they had come by way of this one.
    pub async fn member(
        &self,
        room: &Arc<Room>,
        sender: &UserId,
        user: &UserId,
        membership: &str,
    ) -> Arc<Event> {
        let content = serde_json::value::to_raw_value(&json!({ "membership": membership })).unwrap();
        let draft = EventDraft::state(sender, StateEventType::RoomMember, user.as_str(), content);
        self.rooms.append(room, draft).await.unwrap()
    }

    pub async fn join(&self, room: &Arc<Room>, user: &UserId) -> Arc<Event> {
        self.member(room, user, user, "join").await
    }

    pub async fn send(&self, room: &Arc<Room>, sender: &UserId, body: &str) -> Arc<Event> {
        self.rooms.append(room, message(sender, body)).await.unwrap()
    }

    /// Sends many messages in one commit.
    pub async fn send_all(&self, room: &Arc<Room>, sender: &UserId, bodies: &[String]) {
        let drafts = bodies.iter().map(|body| message(sender, body)).collect();
        self.rooms.append_all(room, drafts).await.unwrap();
    }

    /// Waits until nothing waits for the destination.
    pub async fn settled(&self, server: &ServerName) {
        let routed = self.database.log().visible();
        until(|| {
            let destinations = self.outbound.destinations();
            let found = destinations
                .iter()
                .find(|destination| destination.server == server);
            let is_done = found.is_none_or(|found| found.sent.is_none());
            self.outbound.routed() >= routed && is_done
        })
        .await;
    }
}

pub(super) fn message(sender: &UserId, body: &str) -> EventDraft {
    let content = json!({ "msgtype": "m.text", "body": body });
    let content = serde_json::value::to_raw_value(&content).unwrap();
    EventDraft::message(sender, "m.room.message".into(), content)
}

/// Waits for a condition; fails after a long time.
pub(super) async fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "it does not come true"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn accounts_options(folder: &std::path::Path) -> AccountsOptions {
    AccountsOptions {
        server_name: owned_server_name!("one.example"),
        public_base_url: "http://localhost".to_owned(),
        data_dir: folder.to_owned(),
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
        oauth: OAuthOptions::default(),
        bots: Default::default(),
    }
}

/// Nobody here has to do with `denied.example`.
fn policy_options() -> PolicyOptions {
    PolicyOptions {
        deny: vec![Glob::new("denied.example")],
        ..PolicyOptions::default()
    }
}

fn rooms_options() -> RoomsOptions {
    let server_name = owned_server_name!("one.example");
    RoomsOptions {
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
    }
}

async fn run(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
    statement.execute(&mut connection).await.unwrap();
}

/// Runs each test once on either database.
macro_rules! on_both_databases {
    ($(async fn $name:ident($server:ident: &TestSender) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every test needs all of them")]
            use super::*;

            async fn test($server: &TestSender) $body

            #[tokio::test]
            async fn sqlite() {
                let server = TestSender::start().await;
                test(&server).await;
                server.end().await;
            }

            #[tokio::test]
            async fn postgres() {
                let Some(server) = TestSender::start_on_postgres().await else { return };
                test(&server).await;
                server.end().await;
            }
        })+
    };
}
pub(super) use on_both_databases;
