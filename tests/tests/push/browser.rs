use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
    signature,
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use echorift_tests::{Look as _, PATIENCE, User, v3};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A browser with a push service of the test's own: opens what was sealed for it.
pub(crate) struct Browser {
    origin: String,
    key: PrivateKey,
    auth: [u8; 16],
    replies: Arc<Mutex<VecDeque<StatusCode>>>,
    pushed: mpsc::UnboundedReceiver<Pushed>,
}

#[derive(Debug)]
pub(crate) struct Pushed {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    sealed: Bytes,
}

#[derive(Clone)]
struct Service {
    replies: Arc<Mutex<VecDeque<StatusCode>>>,
    heard: mpsc::UnboundedSender<Pushed>,
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let replies = Arc::new(Mutex::new(VecDeque::new()));
        let (heard, pushed) = mpsc::unbounded_channel();
        let service = Service {
            replies: Arc::clone(&replies),
            heard,
        };
        let router = Router::new()
            .route("/{*path}", axum::routing::post(take))
            .with_state(service);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            origin,
            key: PrivateKey::generate(&ECDH_P256).unwrap(),
            auth: [3; 16],
            replies,
            pushed,
        }
    }

    /// Plans the answer to the request after those that have a plan already; without one it is 201.
    pub(crate) fn plan(&self, status: u16) {
        let status = StatusCode::from_u16(status).unwrap();
        self.replies.lock().unwrap().push_back(status);
    }

    /// The pusher that a client makes of the subscription.
    pub(crate) fn pusher(&self) -> Value {
        json!({
            "kind": "webpush",
            "app_id": "org.example.web",
            "pushkey": URL_SAFE_NO_PAD.encode(self.key.compute_public_key().unwrap()),
            "app_display_name": "Web",
            "device_display_name": "Browser",
            "lang": "en",
            "data": {
                "url": format!("{}/push/1", self.origin),
                "auth": URL_SAFE_NO_PAD.encode(self.auth),
                "events_only": true,
            },
        })
    }

    /// Subscribes, and sends back the token that the subscription is told.
    pub(crate) async fn subscribe(&mut self, user: &User) {
        user.post(v3(["pushers", "set"]), self.pusher()).await.unwrap();
        let told = self.next().await;
        let ack = json!({ "app_id": "org.example.web", "ack_token": told.text("/ack_token") });
        user.post(v3(["pushers", "ack"]), ack).await.unwrap();
    }

    /// What the next push says.
    pub(crate) async fn next(&mut self) -> Value {
        let pushed = self.next_sealed().await;
        self.open(&pushed)
    }

    pub(crate) async fn next_sealed(&mut self) -> Pushed {
        let next = tokio::time::timeout(PATIENCE, self.pushed.recv()).await;
        next.expect("something is pushed").expect("the service runs")
    }

    pub(crate) fn try_next(&mut self) -> Option<Pushed> {
        self.pushed.try_recv().ok()
    }

    /// Opens a message (RFC 8291).
    pub(crate) fn open(&self, pushed: &Pushed) -> Value {
        assert_eq!(pushed.headers["content-encoding"], "aes128gcm");
        let (salt, rest) = pushed.sealed.split_at(16);
        assert_eq!(rest[..4], 4096_u32.to_be_bytes());
        assert_eq!(rest[4], 65);
        let (sender, record) = rest[5..].split_at(65);
        let own = self.key.compute_public_key().unwrap();
        let peer = UnparsedPublicKey::new(&ECDH_P256, sender);
        let secret = agree(&self.key, peer, Unspecified, |shared| {
            Ok(derive::<32>(
                &self.auth,
                shared,
                &[b"WebPush: info\0", own.as_ref(), sender],
            ))
        });
        let secret = secret.unwrap();
        let key = derive::<16>(salt, &secret, &[b"Content-Encoding: aes128gcm\0"]);
        let nonce = derive::<12>(salt, &secret, &[b"Content-Encoding: nonce\0"]);
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let mut record = record.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let text = cipher.open_in_place(nonce, Aad::empty(), &mut record).unwrap();
        let (delimiter, text) = text.split_last().unwrap();
        assert_eq!(*delimiter, 2);
        serde_json::from_slice(text).unwrap()
    }

    /// Checks who vouches for a message (RFC 8292): what the token claims.
    pub(crate) fn claims(&self, pushed: &Pushed, vapid: &str) -> Value {
        let authorization = pushed.headers["authorization"].to_str().unwrap();
        let (token, key) = authorization
            .strip_prefix("vapid t=")
            .unwrap()
            .split_once(", k=")
            .unwrap();
        assert_eq!(key, vapid);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (_, claims) = signed.split_once('.').unwrap();
        let key = URL_SAFE_NO_PAD.decode(key).unwrap();
        let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, key);
        key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(claims.text("/aud"), self.origin);
        claims
    }
}

async fn take(
    State(service): State<Service>,
    Path(path): Path<String>,
    headers: HeaderMap,
    sealed: Bytes,
) -> StatusCode {
    let reply = service.replies.lock().unwrap().pop_front();
    // The test ends first if it wants to hear nothing more.
    let _ = service.heard.send(Pushed {
        path,
        headers,
        sealed,
    });
    reply.unwrap_or(StatusCode::CREATED)
}

fn derive<const BYTES: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> [u8; BYTES] {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut derived = [0; BYTES];
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(info, Length(BYTES))
        .unwrap()
        .fill(&mut derived)
        .unwrap();
    derived
}
