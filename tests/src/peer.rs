//! A homeserver inside the test that says what the test wants it to say, true or not.

mod event;
mod room;
mod script;
mod site;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use echorift_events::SigningKey;
use reqwest::Method;
use ruma::ServerName;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub use self::event::PeerEvent;
pub use self::room::{PeerRoom, rules_of};
pub use self::script::{Heard, Reply};
use self::{
    event::{canonical, without},
    room::Model,
    script::Script,
};
use crate::user::send;
use crate::{Answer, PATIENCE, TestAuthority, TestServer, fresh};

/// The peer. Clones are the same one; it is gone with the last.
///
/// Its name is its address, so that every server finds it. It answers the truth about the events and rooms that it
/// knows, unless [`Peer::when`] says otherwise, and remembers whatever it was asked.
#[derive(Debug, Clone)]
pub struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    key: SigningKey,
    http: reqwest::Client,
    world: Arc<World>,
    serving: JoinHandle<()>,
}

/// What the peer's own listener shares with it.
#[derive(Debug)]
struct World {
    name: String,
    key: SigningKey,
    script: Mutex<Script>,
    heard: Mutex<Vec<Heard>>,
    /// Rooms that the peer has made or joined.
    rooms: Mutex<BTreeMap<String, Model>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Peer {
    pub async fn start(authority: &TestAuthority) -> Self {
        // The system gives ports out again, and a server that just had the keys of this name would not ask for others
        // at once: each peer has an address of its own.
        static COUNT: AtomicU16 = AtomicU16::new(1);
        let [high, low] = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let address = Ipv4Addr::new(127, 1, high, low);
        let listener = tokio::net::TcpListener::bind((address, 0))
            .await
            .expect("a free port");
        let name = listener.local_addr().expect("an address").to_string();
        let key = key_of(&name, &format!("peer_{}", rand::random::<u32>()));
        let world = Arc::new(World {
            name: name.clone(),
            key: key.clone(),
            script: Mutex::default(),
            heard: Mutex::default(),
            rooms: Mutex::default(),
        });
        let certificate = authority.certify(&[&address.to_string()]);
        let serving = tokio::spawn(site::serve(listener, certificate, Arc::clone(&world)));
        let trusted = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([trusted])
            .timeout(PATIENCE * 2)
            .build()
            .unwrap();
        Self(Arc::new(Inner {
            name,
            key,
            http,
            world,
            serving,
        }))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The key that it publishes.
    pub fn key(&self) -> &SigningKey {
        &self.0.key
    }

    /// Another key of the same name and id, which it does not publish.
    pub fn wrong_key(&self) -> SigningKey {
        key_of(self.name(), self.key().key_id().key_name().as_str())
    }

    /// What it publishes as its keys, before it is signed.
    pub fn unsigned_keys(&self) -> Value {
        self.0.world.unsigned_keys()
    }

    /// A user id here.
    pub fn user(&self, localpart: &str) -> String {
        format!("@{localpart}:{}", self.name())
    }

    /// Requests whose path holds this text get this answer from now on. The newest rule counts.
    pub fn when(&self, path_holds: &str, reply: impl Fn(&Heard) -> Reply + Send + 'static) {
        self.0.world.script.lock().unwrap().add(path_holds, reply);
    }

    /// The requests so far whose path holds this text.
    pub fn heard(&self, path_holds: &str) -> Vec<Heard> {
        let heard = self.0.world.heard.lock().unwrap();
        let matching = heard.iter().filter(|request| request.path.contains(path_holds));
        matching.cloned().collect()
    }

    /// Waits until a request for such a path satisfies the condition.
    pub async fn hears(&self, path_holds: &str, is_wanted: impl Fn(&Heard) -> bool) -> Heard {
        let waiting = async {
            loop {
                if let Some(found) = self.heard(path_holds).into_iter().find(&is_wanted) {
                    return found;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        let heard = tokio::time::timeout(PATIENCE, waiting).await;
        heard.unwrap_or_else(|_| panic!("no wanted request for {path_holds} arrived"))
    }

    /// Asks a server, properly signed. `target` is path and query.
    pub async fn ask(
        &self,
        server: &TestServer,
        method: Method,
        target: &str,
        body: Option<Value>,
    ) -> Answer {
        let authorization = authorization(
            self.key(),
            self.name(),
            server.name(),
            &method,
            target,
            body.as_ref(),
        );
        self.ask_as(server, method, target, body, &authorization).await
    }

    /// Asks a server with this `Authorization`.
    pub async fn ask_as(
        &self,
        server: &TestServer,
        method: Method,
        target: &str,
        body: Option<Value>,
        authorization: &str,
    ) -> Answer {
        let url = format!("https://127.0.0.1:{}{target}", server.federation_port());
        let request = self
            .0
            .http
            .request(method, url)
            .header("authorization", authorization);
        send(match &body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    pub async fn get(&self, server: &TestServer, target: &str) -> Answer {
        self.ask(server, Method::GET, target, None).await
    }

    /// `PUT /send` with a transaction id of its own.
    pub async fn send(&self, server: &TestServer, pdus: &[&PeerEvent], edus: &[Value]) -> Answer {
        self.send_in_transaction(server, &fresh("txn"), pdus, edus).await
    }

    pub async fn send_in_transaction(
        &self,
        server: &TestServer,
        txn: &str,
        pdus: &[&PeerEvent],
        edus: &[Value],
    ) -> Answer {
        let pdus: Vec<&Value> = pdus.iter().map(|event| &event.json).collect();
        let body = json!({ "origin": self.name(), "origin_server_ts": now_ms(), "pdus": pdus, "edus": edus });
        let target = format!("/_matrix/federation/v1/send/{txn}");
        self.ask(server, Method::PUT, &target, Some(body)).await
    }
}

/// A random key of a server.
pub fn key_of(server: &str, version: &str) -> SigningKey {
    let server = <&ServerName>::try_from(server).expect("a server name");
    SigningKey::from_seed(server, version, &rand::random()).expect("a key")
}

/// The `Authorization` header of a request (SS API § Request Authentication).
pub fn authorization(
    key: &SigningKey,
    origin: &str,
    destination: &str,
    method: &Method,
    target: &str,
    body: Option<&Value>,
) -> String {
    let mut request = json!({
        "method": method.as_str(), "uri": target, "origin": origin, "destination": destination,
    });
    if let Some(body) = body {
        request["content"] = body.clone();
    }
    let signed = signed(request, origin, key);
    let signature = signed["signatures"][origin][key.key_id().as_str()].as_str();
    format!(
        "X-Matrix origin=\"{origin}\",destination=\"{destination}\",key=\"{}\",sig=\"{}\"",
        key.key_id(),
        signature.expect("a signature")
    )
}

/// JSON with a server's signature.
pub fn signed(mut json: Value, name: &str, key: &SigningKey) -> Value {
    let signature = key.sign_bytes(canonical(&without(&json, &["signatures", "unsigned"])).as_bytes());
    json["signatures"][name][key.key_id().as_str()] = signature.into();
    json
}

#[expect(clippy::disallowed_methods, reason = "peers have clocks of their own")]
pub fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(now.expect("after 1970").as_millis()).expect("before the year 500,000,000")
}
