use ruma::{OwnedRoomId, OwnedServerName};
use serde::Deserialize;

use crate::{CallError, names::ROOM_SLOT};

/// As whom somebody wants to enter, in one of the three dialects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberClaim {
    /// Of the state dialect.
    Device { device_id: String },
    /// Of the sticky dialect.
    Member { device_id: String, member_id: String },
    /// Of the newest draft.
    MemberAlone { member_id: String },
}

/// A member as requests name it: `member` by the published packages, `member_id` by the newest draft (MSC4195).
#[derive(Debug, Clone, Deserialize, Default)]
pub struct MemberParts {
    member: Option<ClaimedMember>,
    member_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct ClaimedMember {
    id: String,
    claimed_device_id: String,
}

impl MemberParts {
    /// Errors: `Incomplete`.
    pub fn into_claim(self) -> Result<MemberClaim, CallError> {
        let claim = match (self.member, self.member_id) {
            (Some(member), _) => MemberClaim::Member {
                device_id: member.claimed_device_id,
                member_id: member.id,
            },
            (None, Some(member_id)) => MemberClaim::MemberAlone { member_id },
            (None, None) => return Err(CallError::Incomplete("a `member`")),
        };
        let is_empty = match &claim {
            MemberClaim::Member { device_id, member_id } => device_id.is_empty() || member_id.is_empty(),
            MemberClaim::MemberAlone { member_id } => member_id.is_empty(),
            MemberClaim::Device { .. } => false,
        };
        if is_empty {
            Err(CallError::Incomplete("the ID of a `member`, or its device's"))
        } else {
            Ok(claim)
        }
    }
}

/// What somebody wants to enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatClaim {
    pub room_id: OwnedRoomId,
    pub slot_id: String,
    pub member: MemberClaim,
}

/// What `POST …/openid/request_token` answered, as far as it is needed (CS API § OpenID).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenIdToken {
    pub access_token: String,
    pub server: OwnedServerName,
}

impl MemberClaim {
    pub(crate) fn device_id(&self) -> Option<&str> {
        match self {
            Self::Device { device_id } | Self::Member { device_id, .. } => Some(device_id),
            Self::MemberAlone { .. } => None,
        }
    }
}

impl SeatClaim {
    /// A seat of the state dialect.
    pub(crate) fn of_device(room_id: OwnedRoomId, device_id: String) -> Self {
        Self {
            room_id,
            slot_id: ROOM_SLOT.to_owned(),
            member: MemberClaim::Device { device_id },
        }
    }
}
