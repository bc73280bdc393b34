use std::collections::BTreeMap;

use echorift_rooms::Room;
use echorift_storage::Change;
use livekit_protocol::{ParticipantInfo, TrackSource, TrackType};
use ruma::{OwnedDeviceId, OwnedUserId, RoomId, UserId};

use crate::{
    CallError, Calls, Source,
    calls::{Grant, Seat},
    store::grants,
};

/// Somebody in a call.
#[derive(Debug, Clone)]
pub struct Participant {
    pub user_id: OwnedUserId,
    pub device_id: Option<OwnedDeviceId>,
    pub seat: Seat,
    /// In milliseconds since the epoch.
    pub joined_ts: i64,
    /// What they send, and whether it is muted.
    pub tracks: Vec<(Source, bool)>,
}

impl Participant {
    pub(crate) fn new(grant: &Grant, user_id: &UserId, info: &ParticipantInfo) -> Self {
        let tracks = info.tracks.iter();
        let mut tracks: Vec<_> = tracks
            .filter_map(|track| Some((source_of(track.source())?, track.muted)))
            .collect();
        tracks.sort_unstable();
        Self {
            user_id: user_id.to_owned(),
            device_id: grant.device_id.clone(),
            seat: grant.seat.clone(),
            joined_ts: info.joined_at_ms,
            tracks,
        }
    }
}

impl Calls {
    /// Who is in calls of a room on this server's SFUs, by user and then by when they came.
    ///
    /// Errors: `Forbidden` unless `reader` is joined, `Sfu`.
    pub(crate) async fn participants(
        &self,
        room: &RoomId,
        reader: &UserId,
    ) -> Result<Vec<Participant>, CallError> {
        let room = self.room_of(room, reader).await?;
        let seated = self.seated(&room, None).await?;
        let holders = self.holders(seated.iter().map(|(grant, _)| grant)).await?;
        let mut participants: Vec<Participant> = seated
            .into_iter()
            .filter_map(|(grant, info)| Some(Participant::new(&grant, holders.of(&grant)?.1, &info)))
            .collect();
        participants.sort_by(|a, b| (&a.user_id, a.joined_ts).cmp(&(&b.user_id, b.joined_ts)));
        Ok(participants)
    }

    /// Mutes what somebody sends in calls of a room, of the kinds named. They can unmute themselves; to silence them for
    /// longer, their power level is lowered. Answers with how many tracks were muted.
    ///
    /// Errors: `Forbidden`, `NoPower`, `NotInCall`, `Sfu`.
    pub(crate) async fn mute(
        &self,
        room: &RoomId,
        moderator: &UserId,
        user: &UserId,
        sources: &[Source],
    ) -> Result<usize, CallError> {
        let room = self.room_to_moderate(room, moderator, user).await?;
        let seated = self.seated(&room, Some(user)).await?;
        if seated.is_empty() {
            return Err(CallError::NotInCall);
        }
        let mut muted = 0_usize;
        for (Grant { seat, .. }, info) in &seated {
            let Some(sfu) = self.sfus().by_name(&seat.sfu) else {
                continue;
            };
            for track in &info.tracks {
                let is_meant = source_of(track.source()).is_some_and(|source| sources.contains(&source));
                let is_media = matches!(track.r#type(), TrackType::Audio | TrackType::Video);
                if is_meant
                    && is_media
                    && !track.muted
                    && sfu.mute(&seat.livekit_room, &seat.identity, &track.sid).await?
                {
                    muted = muted.saturating_add(1);
                }
            }
        }
        Ok(muted)
    }

    /// Puts somebody out of calls of a room; the tokens they have are good for nothing from then on. Kicking or banning them is
    /// what keeps them from asking for another one.
    ///
    /// Errors: `Forbidden`, `NoPower`, `NotInCall`.
    pub(crate) async fn put_out(
        &self,
        room: &RoomId,
        moderator: &UserId,
        user: &UserId,
    ) -> Result<(), CallError> {
        let room = self.room_to_moderate(room, moderator, user).await?;
        let number = self.rooms().user_number(user).await?;
        let mut held = grants::of_rooms(self.database(), &[room.number]).await?;
        held.retain(|grant| grant.user == number && !grant.is_revoked);
        if held.is_empty() {
            return Err(CallError::NotInCall);
        }
        let mut change = Change::new();
        for grant in &mut held {
            grant.is_revoked = true;
            grants::revise(&mut change, grant);
        }
        self.database().writer().commit(change).await?;
        self.order(held).await;
        Ok(())
    }

    /// Ends the calls of a room on this server's SFUs: everybody is put out, and the tokens that they have are good for nothing
    /// from then on. They may ask for new ones. `remember` is written with it. Answers with how many grants ended.
    ///
    /// Errors: `Off`, `Forbidden` for a room that is not known here.
    pub async fn end_calls(&self, room: &RoomId, remember: Change) -> Result<usize, CallError> {
        if !self.is_on() {
            return Err(CallError::Off);
        }
        let room = self.room(room).await?;
        let mut held = grants::of_rooms(self.database(), &[room.number]).await?;
        held.retain(|grant| !grant.is_revoked);
        let mut change = remember;
        for grant in &mut held {
            grant.is_revoked = true;
            grants::revise(&mut change, grant);
        }
        self.database().writer().commit(change).await?;
        let ended = held.len();
        self.order(held).await;
        Ok(ended)
    }

    /// A room whose calls a moderator wants to act upon: who may kick somebody may also silence them.
    async fn room_to_moderate(
        &self,
        room: &RoomId,
        moderator: &UserId,
        user: &UserId,
    ) -> Result<std::sync::Arc<Room>, CallError> {
        let room = self.room_of(room, moderator).await?;
        let (levels, _) = self.rooms().power_levels(&room, &room.view().state).await?;
        let own = levels.user_level(moderator);
        let may_moderate = own.reaches(levels.kick()) && own > levels.user_level(user);
        if moderator != user && !may_moderate {
            return Err(CallError::NoPower("You have no power over them in this room."));
        }
        Ok(room)
    }

    async fn room_of(&self, id: &RoomId, user: &UserId) -> Result<std::sync::Arc<Room>, CallError> {
        if !self.is_on() {
            return Err(CallError::Off);
        }
        let room = self.room(id).await?;
        let is_joined = self.rooms().check_joined(&room, user).await;
        is_joined.map_err(|_| CallError::Forbidden)?;
        Ok(room)
    }

    /// The grants of a room whose holders are in a call, with what the SFU says of them.
    async fn seated(
        &self,
        room: &Room,
        user: Option<&UserId>,
    ) -> Result<Vec<(Grant, ParticipantInfo)>, CallError> {
        let mut held = grants::of_rooms(self.database(), &[room.number]).await?;
        if let Some(user) = user {
            let number = self.rooms().user_number(user).await?;
            held.retain(|grant| grant.user == number);
        }
        let mut by_room: BTreeMap<(String, String), BTreeMap<String, ParticipantInfo>> = BTreeMap::new();
        let mut seated = Vec::new();
        for grant in held {
            let Some(sfu) = self.sfus().by_name(&grant.seat.sfu) else {
                continue;
            };
            let key = (grant.seat.sfu.clone(), grant.seat.livekit_room.clone());
            // A room has one slot mostly, so that one question answers for all its grants.
            if !by_room.contains_key(&key) {
                let people = sfu.participants(&grant.seat.livekit_room).await?.into_iter();
                let people = people.map(|person| (person.identity.clone(), person)).collect();
                by_room.insert(key.clone(), people);
            }
            let info = by_room
                .get_mut(&key)
                .and_then(|people| people.remove(&grant.seat.identity));
            if let Some(info) = info {
                seated.push((grant, info));
            }
        }
        Ok(seated)
    }
}

fn source_of(source: TrackSource) -> Option<Source> {
    match source {
        TrackSource::Camera => Some(Source::Camera),
        TrackSource::Microphone => Some(Source::Microphone),
        TrackSource::ScreenShare => Some(Source::ScreenShare),
        TrackSource::ScreenShareAudio => Some(Source::ScreenShareAudio),
        TrackSource::Unknown => None,
    }
}
