//! A client's side of LiveKit's signalling, as far as the tests need it, and its administration.

use std::sync::Arc;

use echorift_tests::{PATIENCE, RunningSfu, TestAuthority, TestServer, fresh, sfu_token};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A frame's first byte: the whole of a binary message, a ping, a pong.
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// An open WebSocket to the SFU.
pub(crate) struct Signal {
    stream: Box<dyn Stream>,
    /// The SFU's first message.
    pub(crate) joined: Vec<u8>,
}

impl Signal {
    /// Joins a room by the server's plain address.
    pub(crate) async fn join(server: &TestServer, room: &str) -> Self {
        let address = server.base_url().replace("http://", "");
        let stream = TcpStream::connect(address).await.unwrap();
        Self::join_on(Box::new(stream), room).await
    }

    /// Joins a room by the server's TLS address.
    pub(crate) async fn join_by_tls(server: &TestServer, authority: &TestAuthority, room: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
            .unwrap();
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // As browsers do for WebSockets.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TcpStream::connect(("127.0.0.1", server.tls_port()))
            .await
            .unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap();
        Self::join_on(Box::new(stream), room).await
    }

    async fn join_on(mut stream: Box<dyn Stream>, room: &str) -> Self {
        let token = sfu_token(&fresh("somebody"), &json!({ "room": room, "roomJoin": true }));
        let path = format!("/livekit/sfu/rtc?access_token={token}&auto_subscribe=1&sdk=js&protocol=15");
        let head = ask_for_upgrade(&mut stream, &path, "").await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        let mut signal = Self {
            stream,
            joined: Vec::new(),
        };
        signal.joined = signal.message().await;
        // The first message of the SFU is field 1 of a SignalResponse, `join`, and holds the room's name.
        assert_eq!(signal.joined.first(), Some(&0x0a));
        assert!(
            holds(&signal.joined, room),
            "the SFU let somebody into another room"
        );
        signal
    }

    /// The next message. Answers pings on the way.
    pub(crate) async fn message(&mut self) -> Vec<u8> {
        let reading = async {
            loop {
                let (kind, bytes) = self.frame().await.expect("the SFU has hung up");
                match kind {
                    BINARY => return bytes,
                    PING => self.pong(&bytes).await,
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("a message of the SFU")
    }

    /// Reads until the SFU has hung up.
    pub(crate) async fn hung_up(&mut self) {
        let reading = async { while self.frame().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("the SFU hangs up");
    }

    async fn frame(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        let kind = self.stream.read_u8().await?;
        let length = match self.stream.read_u8().await? {
            126 => u64::from(self.stream.read_u16().await?),
            127 => self.stream.read_u64().await?,
            short => u64::from(short),
        };
        let mut bytes = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut bytes).await?;
        Ok((kind, bytes))
    }

    /// Clients mask what they send; with zeros that changes nothing.
    async fn pong(&mut self, bytes: &[u8]) {
        let mut frame = vec![PONG, 0x80 | u8::try_from(bytes.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(bytes);
        self.stream.write_all(&frame).await.unwrap();
    }
}

/// Asks for a WebSocket and gives the head of the answer.
pub(crate) async fn ask_for_upgrade(stream: &mut (impl Stream + ?Sized), path: &str, more: &str) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    let reading = async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("an answer");
    String::from_utf8(head).unwrap()
}

pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Asks the SFU's administration, past the server.
pub(crate) async fn administer(sfu: &RunningSfu, method: &str, body: Value) -> Value {
    let rights = json!({ "roomCreate": true, "roomList": true, "roomAdmin": true, "room": body["room"] });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .post(format!("{}/twirp/livekit.RoomService/{method}", sfu.api_url()))
        .bearer_auth(sfu_token("", &rights))
        .json(&body)
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let body = answer.json().await.unwrap();
    assert!(status.is_success(), "{method}: {status} {body}");
    body
}

/// Opens a room of a new name.
pub(crate) async fn open_room(sfu: &RunningSfu) -> String {
    let room = fresh("call");
    administer(sfu, "CreateRoom", json!({ "name": room })).await;
    room
}
