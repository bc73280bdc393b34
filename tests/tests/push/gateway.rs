use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use echorift_tests::{PATIENCE, ServerBuilder, TestServer, User, fresh, v3};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A push gateway of the test's own.
pub(crate) struct Gateway {
    port: u16,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    asked: mpsc::UnboundedReceiver<Value>,
}

/// What the gateway says next; when nothing is planned, that it has taken everything.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16),
    /// 200 with this body.
    Body(String),
    /// Nothing, for ever.
    Silence,
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let replies = Arc::new(Mutex::new(VecDeque::new()));
        let (heard, asked) = mpsc::unbounded_channel();
        let planned = Arc::clone(&replies);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, heard.clone(), Arc::clone(&planned)));
            }
        });
        Self { port, replies, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/_matrix/push/v1/notify", self.port)
    }

    /// Plans the answer to the request after those that have a plan already.
    pub(crate) fn plan(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    /// The next request's `notification`.
    pub(crate) async fn next(&mut self) -> Value {
        let next = tokio::time::timeout(PATIENCE, self.asked.recv()).await;
        next.expect("the gateway is asked").expect("the gateway runs")
    }

    /// The next notification about an event; counts alone are passed over.
    pub(crate) async fn next_event(&mut self) -> Value {
        loop {
            let notification = self.next().await;
            if notification["event_id"].is_string() {
                return notification;
            }
        }
    }

    /// Waits until the phone shows this count.
    pub(crate) async fn wait_for_count(&mut self, count: i64) -> Value {
        loop {
            let notification = self.next().await;
            if notification["counts"]["unread"] == count {
                return notification;
            }
        }
    }

    /// Gives the user a pusher at this gateway; its key.
    pub(crate) async fn register(&self, user: &User, data: Value) -> String {
        let key = fresh("key");
        let body = pusher(&key, &self.url(), data);
        user.post(v3(["pushers", "set"]), body).await.unwrap();
        key
    }
}

/// A pusher as a phone sets it; `data` is added to its `data`.
pub(crate) fn pusher(key: &str, url: &str, data: Value) -> Value {
    let mut body = json!({
        "app_id": "org.example.app",
        "pushkey": key,
        "kind": "http",
        "app_display_name": "App",
        "device_display_name": "Phone",
        "lang": "en",
        "data": { "url": url },
    });
    if let Value::Object(data) = data {
        for (name, value) in data {
            body["data"][name] = value;
        }
    }
    body
}

/// A server that reaches gateways on this machine and loses no time.
pub(crate) fn server() -> ServerBuilder {
    TestServer::builder()
        .set("push.allow_http", true)
        .set("push.include_content", true)
        .set("push.retry_initial_delay", "50ms")
        .set("push.request_timeout", "2s")
        .set("outbound.allowed_ip_ranges", json!(["127.0.0.1"]))
}

async fn serve(
    stream: TcpStream,
    heard: mpsc::UnboundedSender<Value>,
    planned: Arc<Mutex<VecDeque<Reply>>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let body: Value = serde_json::from_slice(&body).unwrap();
        let reply = planned.lock().unwrap().pop_front();
        // The test ends first if it wants to hear nothing more.
        let _ = heard.send(body["notification"].clone());
        let (status, text) = match reply {
            None => (200, json!({ "rejected": [] }).to_string()),
            Some(Reply::Body(text)) => (200, text),
            Some(Reply::Status(status)) => (status, "no".to_owned()),
            Some(Reply::Silence) => std::future::pending().await,
        };
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        stream.get_mut().write_all(answer.as_bytes()).await.ok()?;
    }
}

impl Gateway {
    /// A request that has come already.
    pub(crate) fn try_next(&mut self) -> Option<Value> {
        self.asked.try_recv().ok()
    }
}
