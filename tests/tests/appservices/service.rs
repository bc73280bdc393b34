use std::collections::{HashMap, HashSet};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use echorift_tests::{Caller, PATIENCE, ServerBuilder, TestServer, fresh, until};
use serde_json::{Value, json};
use tokio::runtime::{self, Runtime};
use tokio::sync::Notify;

/// An application service of the test's own.
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) as_token: String,
    /// What the names of its users begin with.
    pub(crate) prefix: String,
    port: u16,
    heard: Arc<Heard>,
    /// It runs by itself, so that it can be ended with all that is under way.
    running: Option<Runtime>,
    folder: tempfile::TempDir,
}

/// What the service has been told and asked.
#[derive(Default)]
struct Heard {
    hs_token: String,
    transactions: Mutex<Vec<Transaction>>,
    /// How many messages are in them.
    messages: AtomicUsize,
    /// The body of each transaction, acknowledged or not.
    bodies: Mutex<HashMap<String, Value>>,
    has_news: Notify,
    is_down: AtomicBool,
    /// So many transactions are worked off, and then not acknowledged.
    lost_answers: AtomicUsize,
    refused: AtomicUsize,
    /// What it says that exists, users and aliases, besides what `asked` finds.
    known: Mutex<HashSet<String>>,
    asked: Mutex<Vec<String>>,
    /// The answers to requests for keys, by the last part of their path, and the requests themselves. Without an answer the
    /// service does not know the request.
    keys: Mutex<HashMap<String, Value>>,
    wanted_keys: Mutex<Vec<Value>>,
    /// What is done before a question is answered with yes.
    on_question: Mutex<Option<Caller>>,
}

/// A transaction that the service has acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) body: Value,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let id = fresh("bridge");
        let heard = Arc::new(Heard {
            hs_token: fresh("server-token"),
            ..Heard::default()
        });
        Self {
            running: Some(serve(listener, &heard)),
            as_token: fresh("service-token"),
            prefix: format!("_{id}_"),
            id,
            port,
            heard,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Its registration; `more` goes over what is usual.
    pub(crate) fn registration(&self, more: &Value) -> Value {
        let mut registration = json!({
            "id": self.id,
            "url": format!("http://127.0.0.1:{}", self.port),
            "as_token": self.as_token,
            "hs_token": self.heard.hs_token,
            "sender_localpart": format!("{}bot", self.id),
            "namespaces": {
                "users": [{ "exclusive": true, "regex": format!("@{}.*", self.prefix) }],
                "aliases": [{ "exclusive": true, "regex": format!("#{}.*", self.prefix) }],
                "rooms": [],
            },
            "rate_limited": false,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            registration[key] = value.clone();
        }
        registration
    }

    /// Writes its registration; the file. JSON is YAML, too.
    pub(crate) fn register(&self, more: &Value) -> String {
        let path = self.folder.path().join("registration.yaml");
        std::fs::write(&path, self.registration(more).to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A server with this service alone.
    pub(crate) fn server(&self, more: &Value) -> ServerBuilder {
        TestServer::builder()
            .set("application_services.files", json!([self.register(more)]))
            .set("application_services.retry_max_delay", "300ms")
    }

    /// Its own requests.
    pub(crate) fn caller(&self, server: &TestServer) -> Caller {
        server.with_token(&self.as_token)
    }

    pub(crate) fn bot(&self, server: &TestServer) -> String {
        format!("@{}bot:{}", self.id, server.name())
    }

    /// The ID of one of its users, who may not exist.
    pub(crate) fn user(&self, name: &str, server: &TestServer) -> String {
        format!("@{}{name}:{}", self.prefix, server.name())
    }

    /// Makes one of its users; the ID.
    pub(crate) async fn make_user(&self, name: &str, server: &TestServer) -> String {
        let body = json!({
            "type": "m.login.application_service",
            "username": format!("{}{name}", self.prefix),
            "inhibit_login": true,
        });
        let answer = self
            .caller(server)
            .post("/_matrix/client/v3/register", body)
            .await;
        answer.unwrap()["user_id"].as_str().unwrap().to_owned()
    }

    /// From now on it fails, or does not any more.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.heard.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Ends it: what was under way is broken off, and nobody listens any more. What it has worked off it remembers.
    pub(crate) fn kill(&mut self) {
        self.running.take().expect("it runs").shutdown_background();
    }

    /// Starts it again, where it was: once what was killed has let go of the port.
    pub(crate) async fn revive(&mut self) {
        let bind = async || TcpListener::bind(("127.0.0.1", self.port)).ok();
        let listener = until("the service's port is free again", bind).await;
        self.running = Some(serve(listener, &self.heard));
    }

    /// The answers to the next `count` transactions are lost after they were worked off.
    pub(crate) fn lose_answers(&self, count: usize) {
        self.heard.lost_answers.store(count, Ordering::SeqCst);
    }

    /// How often it has refused a transaction.
    pub(crate) fn refused(&self) -> usize {
        self.heard.refused.load(Ordering::SeqCst)
    }

    /// Says that this user or alias exists, and makes it when asked, as `caller`.
    pub(crate) fn knows(&self, name: &str, caller: Caller) {
        self.heard.known.lock().unwrap().insert(name.to_owned());
        *self.heard.on_question.lock().unwrap() = Some(caller);
    }

    /// Answers requests for keys (`claim` or `query`) with this from now on.
    pub(crate) fn keeps_keys(&self, question: &str, answer: Value) {
        self.heard
            .keys
            .lock()
            .unwrap()
            .insert(question.to_owned(), answer);
    }

    /// The bodies of the requests for keys, whatever the answer.
    pub(crate) fn wanted_keys(&self) -> Vec<Value> {
        self.heard.wanted_keys.lock().unwrap().clone()
    }

    /// What it was asked for, path by path.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.heard.asked.lock().unwrap().clone()
    }

    pub(crate) fn transactions(&self) -> Vec<Transaction> {
        self.heard.transactions.lock().unwrap().clone()
    }

    /// Everything under these names in all transactions that it has acknowledged.
    pub(crate) fn all(&self, name: &str) -> Vec<Value> {
        let transactions = self.transactions();
        let lists = transactions
            .iter()
            .filter_map(|transaction| transaction.body[name].as_array());
        lists.flatten().cloned().collect()
    }

    /// How many messages it has been told.
    pub(crate) fn messages(&self) -> usize {
        self.heard.messages.load(Ordering::SeqCst)
    }

    /// Waits until a question about what it has been told is answered.
    pub(crate) async fn wait_for<T>(&self, look: impl Fn(&Self) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let mut news = std::pin::pin!(self.heard.has_news.notified());
                news.as_mut().enable();
                if let Some(found) = look(self) {
                    return found;
                }
                news.await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| panic!("the service was told only {:#?}", self.transactions()))
    }

    /// Waits for an event, which is returned.
    pub(crate) async fn wait_for_event(&self, event_id: &str) -> Value {
        self.wait_for(|service| {
            let events = service.all("events");
            events.into_iter().find(|event| event["event_id"] == event_id)
        })
        .await
    }

    /// Waits for something ephemeral of this type.
    pub(crate) async fn wait_for_ephemeral(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        self.wait_for(|service| service.all("ephemeral").into_iter().find(|event| is_it(event)))
            .await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown_background();
        }
    }
}

fn serve(listener: TcpListener, heard: &Arc<Heard>) -> Runtime {
    let mut builder = runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    let router = router(Arc::clone(heard));
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, router).await.unwrap();
    });
    runtime
}

fn router(heard: Arc<Heard>) -> Router {
    Router::new()
        .route("/_matrix/app/v1/transactions/{id}", put(transaction))
        .route("/_matrix/app/v1/users/{id}", get(question))
        .route("/_matrix/app/v1/rooms/{id}", get(question))
        .route("/_matrix/app/v1/ping", post(ping))
        .route(
            "/_matrix/app/unstable/org.matrix.msc3983/keys/{question}",
            post(keys),
        )
        .route(
            "/_matrix/app/unstable/org.matrix.msc3984/keys/{question}",
            post(keys),
        )
        .route("/_matrix/app/v1/thirdparty/protocol/{protocol}", get(protocol))
        .route("/_matrix/app/v1/thirdparty/user/{protocol}", get(people))
        .with_state(heard)
}

impl Heard {
    fn check(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        let expected = format!("Bearer {}", self.hs_token);
        let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
        if shown == Some(expected.as_str()) {
            Ok(())
        } else {
            Err(StatusCode::FORBIDDEN)
        }
    }
}

async fn transaction(
    State(heard): State<Arc<Heard>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    heard.check(&headers)?;
    {
        let mut bodies = heard.bodies.lock().unwrap();
        let ids = |body: &Value| -> Vec<Value> {
            let events = body["events"].as_array().unwrap();
            events.iter().map(|event| event["event_id"].clone()).collect()
        };
        let known = bodies.entry(id.clone()).or_insert_with(|| body.clone());
        assert_eq!(ids(known), ids(&body), "a transaction was altered");
    }
    if heard.is_down.load(Ordering::SeqCst) {
        heard.refused.fetch_add(1, Ordering::SeqCst);
        heard.has_news.notify_waiters();
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    {
        let mut transactions = heard.transactions.lock().unwrap();
        if !transactions.iter().any(|known| known.id == id) {
            let events = body["events"].as_array().unwrap().iter();
            let messages = events.filter(|event| event["type"] == "m.room.message").count();
            heard.messages.fetch_add(messages, Ordering::SeqCst);
            transactions.push(Transaction { id, body });
        }
    }
    heard.has_news.notify_waiters();
    let is_lost = heard
        .lost_answers
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        .is_ok();
    if is_lost {
        return Err(StatusCode::BAD_GATEWAY);
    }
    Ok(Json(json!({})))
}

/// Whether there is such a user, or a room of such an alias; it is made before the answer.
async fn question(
    State(heard): State<Arc<Heard>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    heard.check(&headers)?;
    heard.asked.lock().unwrap().push(name.clone());
    if !heard.known.lock().unwrap().contains(&name) {
        return Err(StatusCode::NOT_FOUND);
    }
    let caller = heard.on_question.lock().unwrap().clone();
    if let Some(caller) = caller {
        let localpart = name[1..].split(':').next().unwrap();
        let made = if name.starts_with('@') {
            let body = json!({ "type": "m.login.application_service", "username": localpart, "inhibit_login": true });
            caller.post("/_matrix/client/v3/register", body).await
        } else {
            let body = json!({ "preset": "public_chat", "room_alias_name": localpart });
            caller.post("/_matrix/client/v3/createRoom", body).await
        };
        made.unwrap();
    }
    Ok(Json(json!({})))
}

async fn ping(
    State(heard): State<Arc<Heard>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    heard.check(&headers)?;
    heard
        .asked
        .lock()
        .unwrap()
        .push(body["transaction_id"].to_string());
    if heard.is_down.load(Ordering::SeqCst) {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok(Json(json!({})))
}

async fn keys(
    State(heard): State<Arc<Heard>>,
    Path(question): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    heard.check(&headers)?;
    heard.wanted_keys.lock().unwrap().push(body);
    if heard.is_down.load(Ordering::SeqCst) {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let known = heard.keys.lock().unwrap().get(&question).cloned();
    known.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn protocol(
    State(heard): State<Arc<Heard>>,
    headers: HeaderMap,
    Path(protocol): Path<String>,
) -> Result<Json<Value>, StatusCode> {
    heard.check(&headers)?;
    let instance = json!({ "desc": protocol, "fields": {}, "network_id": protocol });
    Ok(Json(json!({
        "user_fields": ["nick"], "location_fields": [], "icon": "", "field_types": {}, "instances": [instance],
    })))
}

async fn people(
    State(heard): State<Arc<Heard>>,
    headers: HeaderMap,
    Path(protocol): Path<String>,
    Query(fields): Query<HashMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    heard.check(&headers)?;
    Ok(Json(
        json!([{ "userid": format!("@{}:there", fields["nick"]), "protocol": protocol, "fields": fields }]),
    ))
}
