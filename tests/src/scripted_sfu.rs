//! An SFU that does what the test says: the administration of a LiveKit server without any media.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use livekit_api::access_token::{AccessToken, Claims, TokenVerifier};
use livekit_protocol as proto;
use prost::Message as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::{ServerBuilder, TestServer, fresh};

const KEY: &str = "scripted";
const SECRET: &str = "a secret of the tests that is long enough";

/// A scripted SFU; it ends with the test.
#[derive(Clone)]
pub struct ScriptedSfu {
    port: u16,
    state: Arc<Mutex<Rooms>>,
}

#[derive(Default)]
struct Rooms {
    rooms: BTreeMap<String, BTreeMap<String, proto::ParticipantInfo>>,
    /// When rooms were opened, in milliseconds since the epoch.
    opened: BTreeMap<String, i64>,
    /// What it was told to do, in order: `(method, room, identity)`.
    orders: Vec<(String, String, String)>,
    is_down: bool,
}

impl ScriptedSfu {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<Rooms>>::default();
        let sfu = Self { port, state };
        let router = Router::new()
            .route("/", axum::routing::get(async || "OK"))
            .route("/twirp/livekit.RoomService/{method}", axum::routing::post(answer))
            .with_state(sfu.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        sfu
    }

    /// Where clients would connect.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// A server whose calls go here.
    #[must_use]
    pub fn of(&self, server: ServerBuilder) -> ServerBuilder {
        server
            .set("calls.livekit.mode", "external")
            .set("calls.livekit.url", self.url())
            .set("calls.livekit.api_url", format!("http://127.0.0.1:{}", self.port))
            .set("calls.livekit.api_key", KEY)
            .set("calls.livekit.api_secret", SECRET)
    }

    /// The claims of a token of this SFU.
    pub fn claims(jwt: &str) -> Claims {
        let verifier = TokenVerifier::with_api_key(KEY, SECRET);
        verifier.verify(jwt).expect("a token that this SFU takes")
    }

    /// Lets the holder of a token in, as a connection `sid`, if the room is there; nobody is told.
    pub async fn admit(&self, jwt: &str, sid: &str) {
        let claims = Self::claims(jwt);
        let mut state = self.state.lock().await;
        let room = state
            .rooms
            .get_mut(&claims.video.room)
            .expect("the room was opened");
        let participant = proto::ParticipantInfo {
            sid: sid.to_owned(),
            identity: claims.sub.clone(),
            state: proto::participant_info::State::Active.into(),
            permission: Some(proto::ParticipantPermission {
                can_subscribe: true,
                can_publish: claims.video.can_publish(),
                can_publish_data: claims.video.can_publish_data(),
                can_publish_sources: claims
                    .video
                    .can_publish_sources
                    .iter()
                    .map(|name| source(name))
                    .collect(),
                ..Default::default()
            }),
            tracks: vec![proto::TrackInfo {
                sid: format!("TR_{sid}"),
                source: proto::TrackSource::Microphone.into(),
                r#type: proto::TrackType::Audio.into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        room.insert(claims.sub, participant);
    }

    /// As [`ScriptedSfu::admit`], and tells the server of it.
    pub async fn join(&self, server: &TestServer, jwt: &str, sid: &str) {
        self.admit(jwt, sid).await;
        let webhook = Webhook::of(jwt, "participant_joined", sid);
        assert_eq!(self.tell(server, &webhook).await, StatusCode::OK);
    }

    /// Takes somebody out; nobody is told.
    pub async fn drop_out(&self, jwt: &str) {
        let claims = Self::claims(jwt);
        let mut state = self.state.lock().await;
        state
            .rooms
            .get_mut(&claims.video.room)
            .expect("the room")
            .remove(&claims.sub);
    }

    /// As [`ScriptedSfu::drop_out`], and tells the server of it.
    pub async fn leave(&self, server: &TestServer, jwt: &str, sid: &str) {
        self.drop_out(jwt).await;
        let webhook = Webhook::of(jwt, "participant_left", sid);
        assert_eq!(self.tell(server, &webhook).await, StatusCode::OK);
    }

    /// Sends a webhook, signed with the SFU's key.
    pub async fn tell(&self, server: &TestServer, webhook: &Webhook) -> StatusCode {
        let body = webhook.body();
        tell(server, &body, &sign(KEY, SECRET, &body)).await
    }

    /// Forgets everything, as a restart does.
    pub async fn lose_everything(&self) {
        let mut state = self.state.lock().await;
        state.rooms.clear();
        state.opened.clear();
    }

    /// Refuses everything, or no longer.
    pub async fn set_down(&self, is_down: bool) {
        self.state.lock().await.is_down = is_down;
    }

    pub async fn rooms(&self) -> Vec<String> {
        self.state.lock().await.rooms.keys().cloned().collect()
    }

    /// Who the holder of a token is there now.
    pub async fn participant(&self, jwt: &str) -> Option<proto::ParticipantInfo> {
        let claims = Self::claims(jwt);
        let state = self.state.lock().await;
        state.rooms.get(&claims.video.room)?.get(&claims.sub).cloned()
    }

    /// How often it was told to do this to the holder of a token.
    pub async fn orders(&self, method: &str, jwt: &str) -> usize {
        let claims = Self::claims(jwt);
        let wanted = (method.to_owned(), claims.video.room, claims.sub);
        let state = self.state.lock().await;
        state.orders.iter().filter(|order| **order == wanted).count()
    }
}

/// What an SFU tells.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Repeated ones have the same.
    pub id: String,
    pub event: String,
    pub room: String,
    pub identity: String,
    pub sid: String,
    pub reason: String,
}

impl Webhook {
    /// About the holder of a token.
    pub fn of(jwt: &str, event: &str, sid: &str) -> Self {
        let claims = ScriptedSfu::claims(jwt);
        Self {
            id: fresh("EV"),
            event: event.to_owned(),
            room: claims.video.room,
            identity: claims.sub,
            sid: sid.to_owned(),
            reason: "SIGNAL_CLOSE".to_owned(),
        }
    }

    /// As LiveKit writes it.
    pub fn body(&self) -> String {
        let participant: Value = json!({
            "sid": self.sid, "identity": self.identity, "state": "ACTIVE", "disconnectReason": self.reason,
        });
        let webhook = json!({
            "event": self.event, "id": self.id, "createdAt": "1790000000", "room": { "name": self.room, "sid": "RM_x" },
            "participant": participant,
        });
        webhook.to_string()
    }
}

/// A webhook's signature by any key.
pub fn sign(key: &str, secret: &str, body: &str) -> String {
    let hash = STANDARD.encode(Sha256::digest(body.as_bytes()));
    AccessToken::with_api_key(key, secret)
        .with_sha256(&hash)
        .to_jwt()
        .expect("a signature")
}

/// Posts a webhook with any signature.
pub async fn tell(server: &TestServer, body: &str, authorization: &str) -> StatusCode {
    let url = format!("{}/livekit/jwt/sfu_webhook", server.base_url());
    let request = server.http.post(url);
    let answer = request
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_TYPE, "application/webhook+json")
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    StatusCode::from_u16(answer.status().as_u16()).unwrap()
}

fn source(name: &str) -> i32 {
    let source = match name {
        "camera" => proto::TrackSource::Camera,
        "microphone" => proto::TrackSource::Microphone,
        "screen_share" => proto::TrackSource::ScreenShare,
        "screen_share_audio" => proto::TrackSource::ScreenShareAudio,
        other => panic!("there is no source {other}"),
    };
    source.into()
}

/// The methods of `livekit.RoomService` that the server uses.
async fn answer(
    State(sfu): State<ScriptedSfu>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = headers.get(header::AUTHORIZATION).unwrap().to_str().unwrap();
    ScriptedSfu::claims(token.trim_start_matches("Bearer "));
    let mut state = sfu.state.lock().await;
    if state.is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match method.as_str() {
        "CreateRoom" => {
            let request = proto::CreateRoomRequest::decode(body).unwrap();
            state.rooms.entry(request.name.clone()).or_default();
            let now = i64::try_from(crate::now_ms()).unwrap();
            state.opened.entry(request.name.clone()).or_insert(now);
            found(&proto::Room {
                name: request.name,
                ..Default::default()
            })
        }
        "ListRooms" => {
            let request = proto::ListRoomsRequest::decode(body).unwrap();
            let is_asked = |name: &&String| request.names.is_empty() || request.names.contains(name);
            let rooms = state.rooms.keys().filter(is_asked).map(|name| proto::Room {
                name: name.clone(),
                creation_time_ms: state.opened.get(name).copied().unwrap_or_default(),
                ..Default::default()
            });
            found(&proto::ListRoomsResponse {
                rooms: rooms.collect(),
            })
        }
        "ListParticipants" => {
            let request = proto::ListParticipantsRequest::decode(body).unwrap();
            let people = state
                .rooms
                .get(&request.room)
                .into_iter()
                .flat_map(BTreeMap::values);
            found(&proto::ListParticipantsResponse {
                participants: people.cloned().collect(),
            })
        }
        "GetParticipant" => {
            let request = proto::RoomParticipantIdentity::decode(body).unwrap();
            let people = state.rooms.get(&request.room);
            people
                .and_then(|people| people.get(&request.identity))
                .map_or_else(absent, found)
        }
        "RemoveParticipant" => {
            let request = proto::RoomParticipantIdentity::decode(body).unwrap();
            state
                .orders
                .push((method, request.room.clone(), request.identity.clone()));
            let removed = state
                .rooms
                .get_mut(&request.room)
                .and_then(|people| people.remove(&request.identity));
            removed.map_or_else(absent, |_| found(&proto::RemoveParticipantResponse::default()))
        }
        "UpdateParticipant" => {
            let request = proto::UpdateParticipantRequest::decode(body).unwrap();
            state
                .orders
                .push((method, request.room.clone(), request.identity.clone()));
            let people = state.rooms.get_mut(&request.room);
            let Some(person) = people.and_then(|people| people.get_mut(&request.identity)) else {
                return absent();
            };
            person.permission = request.permission;
            found(person)
        }
        "MutePublishedTrack" => {
            let request = proto::MuteRoomTrackRequest::decode(body).unwrap();
            state
                .orders
                .push((method, request.room.clone(), request.identity.clone()));
            let people = state.rooms.get_mut(&request.room);
            let person = people.and_then(|people| people.get_mut(&request.identity));
            let track = person.and_then(|person| {
                person
                    .tracks
                    .iter_mut()
                    .find(|track| track.sid == request.track_sid)
            });
            let Some(track) = track else { return absent() };
            track.muted = request.muted;
            found(&proto::MuteRoomTrackResponse {
                track: Some(track.clone()),
            })
        }
        other => panic!("the scripted SFU knows no {other}"),
    }
}

fn found(message: &impl prost::Message) -> Response {
    (
        [(header::CONTENT_TYPE, "application/protobuf")],
        message.encode_to_vec(),
    )
        .into_response()
}

fn absent() -> Response {
    let body = json!({ "code": "not_found", "msg": "there is nobody of that name" });
    (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
}
