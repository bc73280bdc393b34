use livekit_api::access_token::{AccessToken, AccessTokenError, VideoGrants};

use crate::{Permission, SfuOptions, Source, calls::Seat, options::TOKEN_LIFETIME};

/// The token with which the holder of a seat enters the SFU. It makes no rooms and administers nothing.
pub(super) fn sign(sfu: &SfuOptions, seat: &Seat, may: &Permission) -> Result<String, AccessTokenError> {
    // A list of sources shuts out tracks of unknown source, so that who may send everything has none.
    let is_limited = may.publish.len() < Source::ALL.len();
    let sources = may.publish.iter().filter(|_| is_limited);
    let grants = VideoGrants {
        room_join: true,
        room: seat.livekit_room.clone(),
        can_publish: Some(may.may_publish()),
        can_publish_sources: sources.map(|source| source.name().to_owned()).collect(),
        can_subscribe: Some(true),
        ..VideoGrants::default()
    };
    AccessToken::with_api_key(&sfu.api_key, &sfu.api_secret)
        .with_identity(&seat.identity)
        .with_ttl(TOKEN_LIFETIME)
        .with_grants(grants)
        .to_jwt()
}
