//! A web site for the server to look at.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a path answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Page {
        content_type: String,
        body: Vec<u8>,
    },
    Redirect(String),
    Status(u16),
    /// More of the same, without end.
    Endless {
        content_type: String,
    },
    /// The head, and then nothing.
    Silence,
}

/// Answers on an address of its own until it is dropped.
#[derive(Debug)]
pub(crate) struct Site {
    address: SocketAddr,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    answers: Mutex<HashMap<String, Answer>>,
    /// The heads of all requests.
    requests: Mutex<Vec<String>>,
    served: AtomicUsize,
}

impl Site {
    /// On a port that the system chooses, at this address of the own machine.
    pub(crate) async fn start(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).await.expect("a free port");
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn put(&self, path: &str, answer: Answer) {
        self.state.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(crate) fn put_page(&self, path: &str, page: impl Into<Vec<u8>>) {
        self.put_file(path, "text/html", page);
    }

    pub(crate) fn put_file(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        self.put(
            path,
            Answer::Page {
                content_type: content_type.to_owned(),
                body: body.into(),
            },
        );
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many requests have been answered.
    pub(crate) fn served(&self) -> usize {
        self.state.served.load(Ordering::SeqCst)
    }

    pub(crate) fn last_request(&self) -> String {
        let requests = self.state.requests.lock().unwrap();
        requests.last().cloned().unwrap_or_default().to_ascii_lowercase()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut piece = [0; 4_096];
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => head.extend(&piece[..read]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    state.requests.lock().unwrap().push(head);
    state.served.fetch_add(1, Ordering::SeqCst);
    let answer = state.answers.lock().unwrap().get(&path).cloned();
    // Who has heard enough may hang up.
    let _ = write(stream, answer.unwrap_or(Answer::Status(404))).await;
}

async fn write(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    let head = |status: u16, more: &str| format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{more}\r\n");
    match answer {
        Answer::Page { content_type, body } => {
            let length = body.len();
            let more = format!("content-type: {content_type}\r\ncontent-length: {length}\r\n");
            stream.write_all(head(200, &more).as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        Answer::Redirect(to) => {
            let more = format!("location: {to}\r\ncontent-length: 0\r\n");
            stream.write_all(head(302, &more).as_bytes()).await?;
        }
        Answer::Status(status) => {
            stream
                .write_all(head(status, "content-length: 0\r\n").as_bytes())
                .await?;
        }
        Answer::Endless { content_type } => {
            let more = format!("content-type: {content_type}\r\n");
            stream.write_all(head(200, &more).as_bytes()).await?;
            loop {
                stream.write_all(&[b'x'; 65_536]).await?;
            }
        }
        Answer::Silence => {
            stream
                .write_all(head(200, "content-type: text/html\r\n").as_bytes())
                .await?;
            // Until the other side has had enough.
            let _ = stream.read(&mut [0]).await?;
        }
    }
    stream.shutdown().await
}
