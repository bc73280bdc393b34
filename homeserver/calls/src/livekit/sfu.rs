use std::{sync::Arc, time::Duration};

use echorift_storage::Timestamp;
use livekit_api::services::{
    ServiceError,
    room::{CreateRoomOptions, RoomClient, UpdateParticipantOptions},
    {ServerError, ServerErrorCode},
};
pub use livekit_protocol::ParticipantInfo;
use livekit_protocol::{ParticipantPermission, TrackSource};
use serde::{Deserialize, Serialize};

/// How long an SFU may take to answer. Clients wait for some of the answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the SFU keeps a room that nobody has entered: clients ask for their token, then connect.
const EMPTY_SECONDS: u32 = 300;
/// How long it keeps one that everybody has left, so that who was cut off comes back to the same call.
const DEPARTURE_SECONDS: u32 = 20;

/// One SFU that this server has the keys of.
#[derive(Clone)]
pub struct SfuOptions {
    /// What the operator calls it; part of the path under which clients ask for its tokens. Empty for the only one.
    pub name: String,
    /// Where it stands, as clients name their region; `None` where it does not matter.
    pub region: Option<String>,
    /// Where clients connect: `wss://chat.example.org/livekit/sfu`.
    pub url: String,
    /// Where clients ask for tokens: `https://chat.example.org/livekit/jwt`.
    pub service_url: String,
    /// Where this server asks: `http://127.0.0.1:7880`.
    pub api_url: String,
    pub api_key: String,
    pub api_secret: String,
}

/// An SFU's administration. Cheap to clone.
#[derive(Clone)]
pub struct Sfu(Arc<Inner>);

struct Inner {
    options: SfuOptions,
    rooms: RoomClient,
}

#[derive(Debug, thiserror::Error)]
pub enum SfuError {
    #[error("the SFU at {api_url} did not do as asked: {cause}")]
    Refused { api_url: String, cause: ServiceError },
}

/// What somebody may do in a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permission {
    /// What they may send; everybody may listen and watch.
    pub publish: Vec<Source>,
}

/// A kind of track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Camera,
    Microphone,
    ScreenShare,
    ScreenShareAudio,
}

impl Source {
    pub const ALL: [Self; 4] = [
        Self::Camera,
        Self::Microphone,
        Self::ScreenShare,
        Self::ScreenShareAudio,
    ];

    /// As tokens name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::ScreenShare => "screen_share",
            Self::ScreenShareAudio => "screen_share_audio",
        }
    }

    fn of_protocol(self) -> TrackSource {
        match self {
            Self::Camera => TrackSource::Camera,
            Self::Microphone => TrackSource::Microphone,
            Self::ScreenShare => TrackSource::ScreenShare,
            Self::ScreenShareAudio => TrackSource::ScreenShareAudio,
        }
    }
}

impl Permission {
    /// What a participant may send, in the words of the SFU.
    pub fn of(participant: &ParticipantInfo) -> Self {
        let Some(permission) = participant.permission.as_ref().filter(|may| may.can_publish) else {
            return Self::nothing();
        };
        let sources = &permission.can_publish_sources;
        let is_among = |source: &Source| sources.contains(&i32::from(source.of_protocol()));
        let publish = Source::ALL.into_iter();
        Self {
            publish: publish
                .filter(|source| sources.is_empty() || is_among(source))
                .collect(),
        }
    }

    /// To send everything.
    pub fn everything() -> Self {
        Self {
            publish: Source::ALL.to_vec(),
        }
    }

    /// To listen and watch.
    pub fn nothing() -> Self {
        Self::default()
    }

    pub fn may_publish(&self) -> bool {
        !self.publish.is_empty()
    }
}

impl Sfu {
    pub fn new(options: SfuOptions) -> Self {
        let rooms = RoomClient::with_api_key(&options.api_url, &options.api_key, &options.api_secret)
            .with_failover(false)
            .with_request_timeout(ANSWER_TIMEOUT);
        Self(Arc::new(Inner { options, rooms }))
    }

    pub fn options(&self) -> &SfuOptions {
        &self.0.options
    }

    /// Makes a room; one that is there stays as it is.
    pub async fn create_room(&self, room: &str) -> Result<(), SfuError> {
        let options = CreateRoomOptions {
            empty_timeout: EMPTY_SECONDS,
            departure_timeout: DEPARTURE_SECONDS,
            ..Default::default()
        };
        self.answer(self.0.rooms.create_room(room, options).await)
            .map(drop)
    }

    /// The names of the rooms that are open there.
    pub async fn rooms(&self) -> Result<Vec<String>, SfuError> {
        let rooms = self.answer(self.0.rooms.list_rooms(Vec::new()).await)?;
        Ok(rooms.into_iter().map(|room| room.name).collect())
    }

    /// When a room was opened, by the SFU's clock; `None` if it is not open.
    pub async fn opened_at(&self, room: &str) -> Result<Option<Timestamp>, SfuError> {
        let rooms = self.answer(self.0.rooms.list_rooms(vec![room.to_owned()]).await)?;
        Ok(rooms.first().map(|room| Timestamp(room.creation_time_ms)))
    }

    /// Who is in a room; nobody in one that is not open.
    pub async fn participants(&self, room: &str) -> Result<Vec<ParticipantInfo>, SfuError> {
        let participants = self.0.rooms.list_participants(room).await;
        Ok(self.found(participants)?.unwrap_or_default())
    }

    /// Somebody in a room; `None` if they are not there.
    pub async fn participant(&self, room: &str, identity: &str) -> Result<Option<ParticipantInfo>, SfuError> {
        self.found(self.0.rooms.get_participant(room, identity).await)
    }

    /// Puts somebody out of a room. `false` if they were not in it.
    pub async fn remove(&self, room: &str, identity: &str) -> Result<bool, SfuError> {
        let removed = self.0.rooms.remove_participant(room, identity).await;
        Ok(self.found(removed)?.is_some())
    }

    /// Changes what somebody in a room may do: tracks that they may no longer send end. `false` if they are not there.
    pub async fn permit(&self, room: &str, identity: &str, may: &Permission) -> Result<bool, SfuError> {
        // No list stands for every source, those of unknown kind included.
        let is_limited = may.publish.len() < Source::ALL.len();
        let sources = may.publish.iter().filter(|_| is_limited);
        let sources = sources.map(|source| source.of_protocol().into());
        let options = UpdateParticipantOptions {
            permission: Some(ParticipantPermission {
                can_subscribe: true,
                can_publish: may.may_publish(),
                can_publish_data: may.may_publish(),
                can_publish_sources: sources.collect(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let updated = self.0.rooms.update_participant(room, identity, options).await;
        Ok(self.found(updated)?.is_some())
    }

    /// Mutes one track of somebody. `false` if they or the track are not there.
    pub async fn mute(&self, room: &str, identity: &str, track: &str) -> Result<bool, SfuError> {
        let muted = self
            .0
            .rooms
            .mute_published_track(room, identity, track, true)
            .await;
        Ok(self.found(muted)?.is_some())
    }

    fn answer<T>(&self, answer: Result<T, ServiceError>) -> Result<T, SfuError> {
        answer.map_err(|cause| SfuError::Refused {
            api_url: self.0.options.api_url.clone(),
            cause,
        })
    }

    /// `None` for what the SFU says is not there.
    fn found<T>(&self, answer: Result<T, ServiceError>) -> Result<Option<T>, SfuError> {
        match answer {
            Err(ServiceError::Twirp(ServerError::Twirp(error)))
                if error.code == ServerErrorCode::NOT_FOUND =>
            {
                Ok(None)
            }
            answer => self.answer(answer).map(Some),
        }
    }
}

/// The SFUs of this server, the preferred one first.
#[derive(Clone, Default)]
pub struct Sfus(Arc<Vec<Sfu>>);

impl Sfus {
    pub fn new(sfus: impl IntoIterator<Item = SfuOptions>) -> Self {
        Self(Arc::new(sfus.into_iter().map(Sfu::new).collect()))
    }

    pub fn all(&self) -> &[Sfu] {
        &self.0
    }

    /// The one that clients know by this address.
    pub fn by_url(&self, url: &str) -> Option<&Sfu> {
        self.0.iter().find(|sfu| sfu.options().url == url)
    }

    pub fn by_name(&self, name: &str) -> Option<&Sfu> {
        self.0.iter().find(|sfu| sfu.options().name == name)
    }

    /// The ones whose key this is.
    pub fn by_key<'a>(&'a self, api_key: &'a str) -> impl Iterator<Item = &'a Sfu> {
        self.0.iter().filter(move |sfu| sfu.options().api_key == api_key)
    }
}
