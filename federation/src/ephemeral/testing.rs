//! Federation of `one.example` on a database of a test's own, with an ear for what is ephemeral.
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
use echorift_calls::{Calls, CallsOptions, CallsParts, DelayedEventOptions, DelayedEvents, Publishers, Sfus};
use echorift_encryption::Encryption;
use echorift_events::SigningKey;
use echorift_media::{
    Media, MediaOptions, MediaParts, PreviewOptions, RemoteOptions, StoreOptions, ThumbnailOptions,
};
use echorift_rooms::{
    EncryptionDefault, EventDraft, NoticeOptions, PublishPolicy, Room, Rooms, RoomsOptions,
};
use echorift_storage::{Clock, Database, DatabaseOptions, Names, Timestamp, UserNumber};
use echorift_web::{
    RateLimits,
    outbound::{AddressPolicy, Outbound, OutboundOptions},
};
use parking_lot::Mutex;
use ruma::{
    OwnedUserId, RoomVersionId, ServerName, UserId,
    api::client::room::create_room::v3::{Request, RoomPreset},
    events::StateEventType,
    owned_server_name,
    serde::Raw,
};
use serde_json::{Value, json, value::to_raw_value};
use sqlx::{Connection as _, PgConnection};

use super::{EphemeralSink, ReceivedPresence};
use crate::{Federation, FederationOptions, FederationParts, PolicyOptions};

/// What reached the sink, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    Typing(UserNumber, bool),
    Presence(UserNumber, ReceivedPresence),
}

#[derive(Default)]
struct Ear(Mutex<Vec<Heard>>);

impl EphemeralSink for Ear {
    fn set_typing(&self, _room: &Room, user: UserNumber, is_typing: bool) {
        self.0.lock().push(Heard::Typing(user, is_typing));
    }

    fn set_presence(&self, user: UserNumber, presence: ReceivedPresence) {
        self.0.lock().push(Heard::Presence(user, presence));
    }
}

pub(super) struct TestFederation {
    pub(super) federation: Federation,
    pub(super) rooms: Rooms,
    pub(super) clock: Clock,
    ear: Arc<Ear>,
    /// The name and the administrator's URL, if it is to be dropped at the end.
    postgres: Option<(String, String)>,
    _folder: tempfile::TempDir,
}

impl TestFederation {
    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::open(folder, url, None).await
    }

    /// `None` where no PostgreSQL is at hand, which fails in CI.
    pub(super) async fn postgres() -> Option<Self> {
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
            "ephemeral_{}_{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        run(&admin_url, format!("DROP DATABASE IF EXISTS {name}")).await;
        run(&admin_url, format!("CREATE DATABASE {name}")).await;
        let (server, _) = admin_url.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        let folder = tempfile::tempdir().unwrap();
        Some(Self::open(folder, url, Some((name, admin_url))).await)
    }

    async fn open(folder: tempfile::TempDir, url: String, postgres: Option<(String, String)>) -> Self {
        let options = DatabaseOptions {
            url,
            max_connections: 4,
        };
        let database = Database::open(&options).await.unwrap();
        let clock = Clock::manual(Timestamp(1_700_000_000_000));
        let users = Names::users(&database);
        let limits = Arc::new(RateLimits::off());
        let accounts = Accounts::start(
            accounts_options(folder.path()),
            &database,
            users.clone(),
            clock.clone(),
            Arc::clone(&limits),
            Vec::new(),
        );
        let accounts = accounts.await.unwrap();
        let signing_key = SigningKey::from_seed(&owned_server_name!("one.example"), "1", &[7; 32]).unwrap();
        let rooms = Rooms::new(
            rooms_options(signing_key.clone()),
            &database,
            users,
            clock.clone(),
        );
        let encryption = Encryption::start(&database, &rooms, &accounts);
        database.log().listen(vec![encryption.listener()]);
        let outbound_options = OutboundOptions {
            extra_ca_files: Vec::new(),
            addresses: AddressPolicy::default(),
            connect_timeout: Duration::from_secs(1),
            request_timeout: Duration::from_secs(1),
        };
        let outbound = Outbound::new(&outbound_options).unwrap();
        let media_parts = MediaParts {
            database: database.clone(),
            clock: clock.clone(),
            accounts: accounts.clone(),
            limits: Arc::clone(&limits),
            outbound: outbound.clone(),
        };
        let media = Media::start(media_options(folder.path()), media_parts).unwrap();
        let options = FederationOptions {
            server_name: owned_server_name!("one.example"),
            signing_key,
            old_keys: Vec::new(),
            hosts: Default::default(),
            trusted_key_servers: Vec::new(),
            share_device_names: false,
            public_directory: false,
            policy: PolicyOptions::default(),
            outbound: outbound_options,
            retry_initial_delay: Duration::from_secs(1),
            retry_max_delay: Duration::from_secs(1),
        };
        let delayed_options = DelayedEventOptions {
            delay_max: Duration::ZERO,
            per_user_max: 0,
            unauthenticated: false,
        };
        let (delayed_events, _) = DelayedEvents::new(delayed_options, &rooms, &accounts, Arc::clone(&limits));
        let calls_parts = CallsParts {
            delayed_events,
            database: database.clone(),
            clock: clock.clone(),
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            limits: Arc::clone(&limits),
            sfus: Sfus::default(),
        };
        let calls_options = CallsOptions {
            is_on: false,
            publish: Publishers::Local,
        };
        let calls = Calls::start(calls_options, calls_parts).await.unwrap();
        let parts = FederationParts {
            calls,
            database,
            clock: clock.clone(),
            rooms: rooms.clone(),
            accounts,
            encryption,
            media,
            limits,
            outbound,
        };
        let federation = Federation::start(options, parts).await.unwrap();
        let ear = Arc::new(Ear::default());
        federation.set_ephemeral_sink(Arc::clone(&ear) as Arc<dyn EphemeralSink>);
        Self {
            federation,
            rooms,
            clock,
            ear,
            postgres,
            _folder: folder,
        }
    }

    pub(super) async fn end(self) {
        if let Some((name, admin_url)) = self.postgres {
            run(&admin_url, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    /// What reached the sink since this was last asked.
    pub(super) fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.ear.0.lock())
    }

    /// Receives an EDU.
    pub(super) async fn receive(&self, origin: &ServerName, edu_type: &str, content: Value) {
        let edu = to_raw_value(&json!({ "edu_type": edu_type, "content": content })).unwrap();
        self.federation
            .receive_edu(origin, &Raw::from_json(edu))
            .await
            .unwrap();
    }

    pub(super) async fn register(&self, name: &str) -> OwnedUserId {
        let accounts = self.federation.accounts();
        let made = accounts.create_local_user(name, "correct horse battery staple", false);
        made.await.unwrap()
    }

    pub(super) async fn number(&self, user: &UserId) -> UserNumber {
        self.rooms.user_number(user).await.unwrap()
    }

    pub(super) async fn public_room(&self, creator: &UserId) -> Arc<Room> {
        let request = Request {
            preset: Some(RoomPreset::PublicChat),
            ..Request::new()
        };
        let accounts = self.federation.accounts();
        self.rooms.create_room(accounts, creator, request).await.unwrap()
    }

    /// Sends a state event of anybody.
    pub(super) async fn set(
        &self,
        room: &Arc<Room>,
        sender: &UserId,
        (event_type, state_key): (&str, &str),
        content: Value,
    ) {
        let content = to_raw_value(&content).unwrap();
        let draft = EventDraft::state(sender, StateEventType::from(event_type), state_key, content);
        self.rooms.append(room, draft).await.unwrap();
    }

    /// Has a user of another server join.
    pub(super) async fn join(&self, room: &Arc<Room>, user: &UserId) {
        let key = ("m.room.member", user.as_str());
        self.set(room, user, key, json!({ "membership": "join" })).await;
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
        url_previews: false,
        oauth: OAuthOptions::default(),
        bots: Default::default(),
    }
}

fn rooms_options(signing_key: SigningKey) -> RoomsOptions {
    RoomsOptions {
        encryption: EncryptionDefault::Off,
        notices: NoticeOptions {
            localpart: "notices".to_owned(),
            display_name: "Server notices".to_owned(),
            avatar_url: None,
            room_name: "Server notices".to_owned(),
        },
        signing_key,
        server_name: owned_server_name!("one.example"),
        default_version: RoomVersionId::V12,
        publish: PublishPolicy::Everyone,
        directory_without_login: false,
        event_cache_bytes: 16 << 20,
        loaded_rooms: 1_000,
    }
}

fn media_options(folder: &std::path::Path) -> MediaOptions {
    let second = Duration::from_secs(1);
    MediaOptions {
        server_name: owned_server_name!("one.example"),
        folder: folder.join("media"),
        store: StoreOptions::Disk,
        upload_bytes_max: 1 << 20,
        unauthenticated_downloads: false,
        pending_per_user_max: 1,
        pending_lifetime: second,
        thumbnails: ThumbnailOptions {
            source_bytes_max: 1,
            source_pixels_max: 1,
            at_a_time: 1,
        },
        previews: PreviewOptions {
            enabled: false,
            allow: Vec::new(),
            deny: Vec::new(),
            timeout: second,
            page_bytes_max: 1,
            image_bytes_max: 1,
            lifetime: second,
        },
        remote: RemoteOptions {
            bytes_max: 1,
            timeout: second,
            lifetime: second,
        },
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
    ($(async fn $name:ident($server:ident: &TestFederation) $body:block)+) => {
        $(mod $name {
            use super::*;

            async fn test($server: &$crate::ephemeral::testing::TestFederation) $body

            #[tokio::test]
            async fn sqlite() {
                let server = $crate::ephemeral::testing::TestFederation::sqlite().await;
                test(&server).await;
                server.end().await;
            }

            #[tokio::test]
            async fn postgres() {
                let Some(server) = $crate::ephemeral::testing::TestFederation::postgres().await else { return };
                test(&server).await;
                server.end().await;
            }
        })+
    };
}
pub(super) use on_both_databases;
