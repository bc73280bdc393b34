//! What the peer answers by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Heard, PeerEvent, World, now_ms, signed};
use crate::TestCertificate;
use crate::json::percent_decode;

pub(super) async fn serve(listener: TcpListener, certificate: TestCertificate, world: Arc<World>) {
    let listener = Tls {
        listener,
        acceptor: TlsAcceptor::from(Arc::new(certificate.server_config())),
    };
    let router = Router::new().fallback(answer).with_state(world);
    let _ = axum::serve(listener, router).await;
}

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

async fn answer(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let authorization = parts.headers.get("authorization");
    let heard = Heard {
        method: parts.method.to_string(),
        path: percent_decode(parts.uri.path()),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        authorization: authorization
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
    };
    world.heard.lock().unwrap().push(heard.clone());
    let reply = world.script.lock().unwrap().reply(&heard);
    match reply.into_response().await {
        Some(response) => response,
        None => match world.usual(&heard) {
            Some(body) => axum::Json(body).into_response(),
            None => {
                let body = json!({ "errcode": "M_NOT_FOUND", "error": "The peer does not know." });
                (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
            }
        },
    }
}

impl World {
    /// The truth, as far as the peer knows it.
    fn usual(&self, heard: &Heard) -> Option<Value> {
        if heard.path.starts_with("/_matrix/key/v2/server") {
            return Some(self.keys());
        }
        let rest = heard.path.strip_prefix("/_matrix/federation/")?;
        let parts: Vec<&str> = rest.split('/').collect();
        let answer = match parts[..] {
            ["v1", "version"] => json!({ "server": { "name": "Peer", "version": "1" } }),
            ["v1", "send", _] => {
                for pdu in heard.body["pdus"].as_array().into_iter().flatten() {
                    self.hear(pdu);
                }
                json!({ "pdus": {} })
            }
            ["v1", "event", id] => self.transaction(&[self.event(id)?]),
            ["v1", "state_ids", room] => {
                let rooms = self.rooms.lock().unwrap();
                let room = rooms.get(room)?;
                let pdu_ids: Vec<&String> = room.state.values().collect();
                json!({ "pdu_ids": pdu_ids, "auth_chain_ids": room.auth_chain_ids() })
            }
            ["v1", "state", room] => {
                let rooms = self.rooms.lock().unwrap();
                let room = rooms.get(room)?;
                json!({ "pdus": room.state_events(), "auth_chain": room.auth_chain() })
            }
            ["v1", "event_auth", room, _] => {
                json!({ "auth_chain": self.rooms.lock().unwrap().get(room)?.auth_chain() })
            }
            ["v1", "backfill", _] => {
                let wanted = heard.query.split('&').filter_map(|pair| pair.strip_prefix("v="));
                let events: Vec<Value> = wanted.filter_map(|id| self.event(&percent_decode(id))).collect();
                self.transaction(&events)
            }
            ["v1", "get_missing_events", _] => {
                let has: BTreeSet<&str> = texts(&heard.body["earliest_events"]).collect();
                let found: Vec<Value> = texts(&heard.body["latest_events"])
                    .filter_map(|id| self.event(id))
                    .flat_map(|event| {
                        texts(&event["prev_events"])
                            .map(str::to_owned)
                            .collect::<Vec<_>>()
                    })
                    .filter(|id| !has.contains(id.as_str()))
                    .filter_map(|id| self.event(&id))
                    .collect();
                json!({ "events": found })
            }
            ["v1", "make_join", room, user] => {
                let rooms = self.rooms.lock().unwrap();
                let room = rooms.get(room)?;
                let content = json!({ "membership": "join" });
                let draft = room.draft(user, "m.room.member", Some(user), &content);
                json!({ "room_version": room.version, "event": draft })
            }
            ["v2", "send_join", room, _] => {
                let mut rooms = self.rooms.lock().unwrap();
                let room = rooms.get_mut(room)?;
                let answer = room.send_join_answer(&self.name, &heard.body);
                let join = PeerEvent::received(&heard.body, &room.rules);
                room.append(join);
                answer
            }
            ["v1", "user", "devices", user] => json!({ "user_id": user, "stream_id": 1, "devices": [] }),
            ["v1", "user", "keys", "query"] => json!({ "device_keys": {} }),
            ["v1", "query", "profile"] => json!({ "displayname": "Somebody" }),
            _ => return None,
        };
        Some(answer)
    }

    /// Takes in what a server sent about a room that the peer is in.
    fn hear(&self, pdu: &Value) {
        let mut rooms = self.rooms.lock().unwrap();
        if let Some(room) = pdu["room_id"].as_str().and_then(|room| rooms.get_mut(room)) {
            let event = PeerEvent::received(pdu, &room.rules);
            room.append(event);
        }
    }

    fn event(&self, id: &str) -> Option<Value> {
        let rooms = self.rooms.lock().unwrap();
        let found = rooms.values().find_map(|room| room.events.get(id));
        found.map(|event| event.json.clone())
    }

    fn transaction(&self, pdus: &[Value]) -> Value {
        json!({ "origin": self.name, "origin_server_ts": now_ms(), "pdus": pdus })
    }

    /// `GET /_matrix/key/v2/server` (SS API § Publishing Keys).
    fn keys(&self) -> Value {
        signed(self.unsigned_keys(), &self.name, &self.key)
    }

    pub(super) fn unsigned_keys(&self) -> Value {
        json!({
            "server_name": self.name,
            "valid_until_ts": now_ms() + 24 * 60 * 60 * 1_000,
            "verify_keys": { self.key.key_id().as_str(): { "key": self.key.public_key() } },
            "old_verify_keys": {},
        })
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
