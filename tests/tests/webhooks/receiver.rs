use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use echorift_tests::{PATIENCE, ServerBuilder, TestServer, free_port};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A target of the test's own.
pub(crate) struct Receiver {
    port: u16,
    replies: Arc<Mutex<VecDeque<(u16, String)>>>,
    heard: mpsc::UnboundedSender<Delivery>,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    listening: Option<JoinHandle<()>>,
}

/// What came.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Delivery {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let mut receiver = Self::absent();
        receiver.appear().await;
        receiver
    }

    /// One that is down until it appears.
    pub(crate) fn absent() -> Self {
        let (heard, deliveries) = mpsc::unbounded_channel();
        Self {
            port: free_port(),
            replies: Arc::default(),
            heard,
            deliveries,
            listening: None,
        }
    }

    pub(crate) async fn appear(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        let (heard, replies) = (self.heard.clone(), Arc::clone(&self.replies));
        self.listening = Some(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, heard.clone(), Arc::clone(&replies)));
            }
        }));
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/from-the-room", self.port)
    }

    /// Plans the answer to the delivery after those that have a plan already; otherwise it is 200 without a body.
    pub(crate) fn plan(&self, status: u16, body: &str) {
        self.replies.lock().unwrap().push_back((status, body.to_owned()));
    }

    pub(crate) async fn next(&mut self) -> Delivery {
        let next = tokio::time::timeout(PATIENCE, self.deliveries.recv()).await;
        next.expect("something is delivered").expect("the receiver runs")
    }

    /// What has come already.
    pub(crate) fn try_next(&mut self) -> Option<Delivery> {
        self.deliveries.try_recv().ok()
    }
}

/// A server that reaches targets on this machine and loses no time.
pub(crate) fn server() -> ServerBuilder {
    TestServer::builder()
        .set("webhooks.allow_http", true)
        .set("webhooks.retry_initial_delay", "50ms")
        .set("webhooks.retry_max_delay", "200ms")
        .set("outbound.allowed_ip_ranges", json!(["127.0.0.1"]))
}

async fn serve(
    stream: TcpStream,
    heard: mpsc::UnboundedSender<Delivery>,
    replies: Arc<Mutex<VecDeque<(u16, String)>>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) => drop(headers.insert(name.to_lowercase(), value.to_owned())),
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let reply = replies.lock().unwrap().pop_front();
        // The test ends first if it wants to hear nothing more.
        let _ = heard.send(Delivery {
            headers,
            body: String::from_utf8(body).unwrap(),
        });
        let (status, text) = reply.unwrap_or((200, String::new()));
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        stream.get_mut().write_all(answer.as_bytes()).await.ok()?;
    }
}
