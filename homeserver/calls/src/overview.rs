//! Everything that goes on in calls, for administrators.

use std::collections::BTreeMap;

use ruma::OwnedRoomId;

use crate::{CallError, Calls, Sfu, calls::Grant, holders::Holders, rights::Participant, store::grants};

/// What one SFU carries.
#[derive(Debug, Clone)]
pub struct SfuOverview {
    pub name: String,
    pub region: Option<String>,
    pub url: String,
    /// Why nothing is known of its calls, in a sentence; `None` if it has answered.
    pub problem: Option<String>,
    /// By room.
    pub calls: Vec<CallOverview>,
}

/// One call with somebody in it.
#[derive(Debug, Clone)]
pub struct CallOverview {
    pub room_id: OwnedRoomId,
    pub livekit_room: String,
    pub participants: Vec<Participant>,
}

/// All calls, by SFU in the order of preference, and what this server remembers of them.
#[derive(Debug, Clone)]
pub struct CallsOverview {
    pub sfus: Vec<SfuOverview>,
    /// How many tokens are good for something, whether their holders are in a call or not.
    pub tokens: usize,
    /// How many departures are left to this server.
    pub departures: usize,
}

impl Calls {
    /// Errors: `Off`, `Storage`. An SFU that does not answer has its own entry say so.
    pub async fn overview(&self) -> Result<CallsOverview, CallError> {
        if !self.is_on() {
            return Err(CallError::Off);
        }
        let mut grants = grants::all(self.database()).await?;
        let now = self.now();
        grants.retain(|grant| !grant.is_revoked && grant.expires > now);
        let holders = self.holders(grants.iter()).await?;
        let mut sfus = Vec::new();
        for sfu in self.sfus().all() {
            let of_sfu: Vec<&Grant> = grants
                .iter()
                .filter(|grant| grant.seat.sfu == sfu.options().name)
                .collect();
            sfus.push(self.overview_of(sfu, &of_sfu, &holders).await);
        }
        Ok(CallsOverview {
            sfus,
            tokens: grants.len(),
            departures: self.0.departures.len(),
        })
    }

    async fn overview_of(&self, sfu: &Sfu, grants: &[&Grant], holders: &Holders) -> SfuOverview {
        let options = sfu.options();
        let mut overview = SfuOverview {
            name: options.name.clone(),
            region: options.region.clone(),
            url: options.url.clone(),
            problem: None,
            calls: Vec::new(),
        };
        let roster = match self.roster(sfu, grants).await {
            Ok(roster) => roster,
            Err(error) => {
                overview.problem = Some(error.to_string());
                return overview;
            }
        };
        let mut calls: BTreeMap<(&OwnedRoomId, &str), Vec<Participant>> = BTreeMap::new();
        for grant in grants {
            let (holder, info) = (holders.of(grant), roster.find(&grant.seat));
            if let (Some((room, user_id)), Some(info)) = (holder, info) {
                let participant = Participant::new(grant, user_id, info);
                let key = (&room.id, grant.seat.livekit_room.as_str());
                calls.entry(key).or_default().push(participant);
            }
        }
        let calls = calls
            .into_iter()
            .map(|((room_id, livekit_room), participants)| CallOverview {
                room_id: room_id.clone(),
                livekit_room: livekit_room.to_owned(),
                participants,
            });
        overview.calls = calls.collect();
        overview
    }
}
