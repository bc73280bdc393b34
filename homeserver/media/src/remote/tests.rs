#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicU32, Ordering};

use echorift_accounts::{
    Accounts, AccountsOptions, OAuthOptions, PasswordOptions, RegistrationOptions, SessionOptions,
};
use echorift_storage::{Clock, Database, DatabaseOptions, Names};
use echorift_web::RateLimits;
use echorift_web::outbound::{AddressPolicy, Outbound, OutboundOptions};
use http::HeaderValue;
use ruma::{RoomVersionId, owned_server_name, server_name};
use tokio::sync::Semaphore;

use super::*;
use crate::{MediaOptions, MediaParts, PreviewOptions, StoreOptions, ThumbnailOptions};

const BYTES_MAX: u64 = 1_000;
const NO_WAIT: Duration = Duration::ZERO;

async fn repository(folder: &std::path::Path) -> (Media, Clock) {
    let options = DatabaseOptions {
        url: format!("sqlite:{}", folder.join("test.db").display()),
        max_connections: 2,
    };
    let database = Database::open(&options).await.unwrap();
    let clock = Clock::manual(Timestamp(1_700_000_000_000));
    let limits = Arc::new(RateLimits::off());
    let hour = Duration::from_secs(3_600);
    let options = AccountsOptions {
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
            access_token_lifetime: hour,
            refresh_token_lifetime: hour,
            without_refresh_lifetime: hour,
        },
        default_room_version: RoomVersionId::V12,
        url_previews: false,
        bots: Default::default(),
        oauth: OAuthOptions::default(),
    };
    let users = Names::users(&database);
    let accounts = Accounts::start(
        options,
        &database,
        users,
        clock.clone(),
        Arc::clone(&limits),
        Vec::new(),
    );
    let outbound = OutboundOptions {
        extra_ca_files: Vec::new(),
        addresses: AddressPolicy::default(),
        connect_timeout: hour,
        request_timeout: hour,
    };
    let parts = MediaParts {
        accounts: accounts.await.unwrap(),
        database,
        clock: clock.clone(),
        limits,
        outbound: Outbound::new(&outbound).unwrap(),
    };
    let options = MediaOptions {
        server_name: owned_server_name!("one.example"),
        folder: folder.join("media"),
        store: StoreOptions::Disk,
        upload_bytes_max: BYTES_MAX,
        unauthenticated_downloads: false,
        pending_per_user_max: 1,
        pending_lifetime: hour,
        thumbnails: ThumbnailOptions {
            source_bytes_max: BYTES_MAX,
            source_pixels_max: BYTES_MAX,
            at_a_time: 1,
        },
        previews: PreviewOptions {
            enabled: false,
            allow: Vec::new(),
            deny: Vec::new(),
            timeout: hour,
            page_bytes_max: BYTES_MAX,
            image_bytes_max: BYTES_MAX,
            lifetime: hour,
        },
        remote: RemoteOptions {
            bytes_max: BYTES_MAX,
            timeout: hour,
            lifetime: hour,
        },
    };
    (Media::start(options, parts).unwrap(), clock)
}

/// Another server: what it answers, how often it was asked, and a gate before the answer.
struct Other {
    answer: fn() -> Result<RemoteMediaAnswer, MediaError>,
    asked: AtomicU32,
    gate: Semaphore,
}

impl Other {
    fn new(media: &Media, answer: fn() -> Result<RemoteMediaAnswer, MediaError>) -> Arc<Self> {
        let other = Arc::new(Self {
            answer,
            asked: AtomicU32::new(0),
            gate: Semaphore::new(1),
        });
        assert!(media.fetch_remote_with(Arc::clone(&other) as Arc<dyn RemoteMedia>));
        other
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl RemoteMedia for Other {
    fn fetch<'a>(
        &'a self,
        _: RemoteMediaRequest<'a>,
    ) -> BoxFuture<'a, Result<RemoteMediaAnswer, MediaError>> {
        Box::pin(async move {
            let _open = self.gate.acquire().await;
            self.asked.fetch_add(1, Ordering::SeqCst);
            (self.answer)()
        })
    }
}

fn file(pieces: Vec<Result<Bytes, String>>) -> Result<RemoteMediaAnswer, MediaError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    let disposition = HeaderValue::from_static("inline; filename=\"a.txt\"");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    let body = stream::iter(pieces).boxed();
    Ok(RemoteMediaAnswer::File { headers, body })
}

async fn load(media: &Media, may_ask: bool) -> Result<Stored, MediaError> {
    media
        .load_remote(server_name!("two.example"), "abc", NO_WAIT, may_ask)
        .await
}

#[tokio::test]
async fn what_was_fetched_once_is_read_here_ever_after() {
    let folder = tempfile::tempdir().unwrap();
    let (media, clock) = repository(folder.path()).await;
    assert!(
        matches!(load(&media, true).await, Err(MediaError::NotFound)),
        "nobody to ask"
    );
    let other = Other::new(&media, || {
        file(vec![
            Ok(Bytes::from_static(b"he")),
            Ok(Bytes::from_static(b"llo")),
        ])
    });
    assert!(
        matches!(load(&media, false).await, Err(MediaError::NotFound)),
        "not to be asked"
    );
    let first = load(&media, true).await.unwrap();
    assert_eq!(
        (first.content.size, first.description.content_type.as_str()),
        (5, "text/plain")
    );
    assert_eq!(first.description.file_name.as_deref(), Some("a.txt"));
    clock.advance_ms(READING_NOTED_MS);
    assert_eq!(load(&media, false).await.unwrap(), first);
    assert_eq!(other.asked(), 1);
    let id = MediaId::parse("abc").unwrap();
    let kept = store::remote::find(&media.0.database, server_name!("two.example"), &id).await;
    assert_eq!(kept.unwrap().unwrap().read, clock.now(), "the reading is noted");
}

#[tokio::test]
async fn who_asks_at_once_shares_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let (media, _) = repository(folder.path()).await;
    let other = Other::new(&media, || file(vec![Ok(Bytes::from_static(b"hello"))]));
    let closed = other.gate.acquire().await.unwrap();
    let asking: Vec<_> = (0..5)
        .map(|_| {
            let media = media.clone();
            tokio::spawn(async move { load(&media, true).await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(closed);
    for asked in asking {
        assert_eq!(asked.await.unwrap().unwrap().content.size, 5);
    }
    assert_eq!(other.asked(), 1);
}

#[tokio::test]
async fn a_failure_is_remembered_for_a_minute_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (media, clock) = repository(folder.path()).await;
    let other = Other::new(&media, || {
        file(vec![Ok(Bytes::from_static(b"he")), Err("gone".to_owned())])
    });
    for _ in 0..2 {
        assert!(matches!(
            load(&media, true).await,
            Err(MediaError::RemoteUnreachable(_))
        ));
        assert_eq!(other.asked(), 1);
    }
    clock.advance_ms(FAILURE_LIFETIME_MS);
    assert!(load(&media, true).await.is_err());
    assert_eq!(other.asked(), 2);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (media, _) = repository(folder.path()).await;
    let other = Other::new(&media, || {
        let endless = stream::repeat_with(|| Ok(Bytes::from_static(&[0; 100]))).boxed();
        Ok(RemoteMediaAnswer::File {
            headers: HeaderMap::new(),
            body: endless,
        })
    });
    assert!(matches!(
        load(&media, true).await,
        Err(MediaError::RemoteTooLarge(BYTES_MAX))
    ));
    assert_eq!(other.asked(), 1);
}

#[tokio::test]
async fn what_is_still_to_be_uploaded_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let (media, _) = repository(folder.path()).await;
    let other = Other::new(&media, || Err(MediaError::NotYetUploaded));
    for asked in 1..=2 {
        assert!(matches!(
            load(&media, true).await,
            Err(MediaError::NotYetUploaded)
        ));
        assert_eq!(other.asked(), asked);
    }
}

#[tokio::test]
async fn a_place_inside_is_not_gone_to() {
    let folder = tempfile::tempdir().unwrap();
    let (media, _) = repository(folder.path()).await;
    for place in [
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "http://user:secret@one.example/x",
    ] {
        let url = Url::parse(place).unwrap();
        assert!(
            matches!(
                media.follow(url).await.map(|_| ()),
                Err(MediaError::RemoteUnreachable(_))
            ),
            "{place}"
        );
    }
}
