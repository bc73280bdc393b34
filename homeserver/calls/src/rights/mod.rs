//! What a room says of somebody holds in its calls at once: who is kicked, banned, locked or logged out is put out, and who is
//! demoted or suspended falls silent.

mod follow;
mod moderate;

use std::collections::HashSet;

use echorift_storage::{Change, RoomNumber, UserNumber};
use futures_util::{StreamExt as _, stream};
use ruma::OwnedDeviceId;

pub(crate) use self::follow::{Changes, Listener, follow};
pub use self::moderate::Participant;
use crate::{
    CallError, Calls, Permission, authorisation::Standing, calls::Grant, holders::Holders, livekit::label,
    store::grants,
};

/// How many orders to SFUs are under way at the same time.
const ORDERS_AT_ONCE: usize = 16;

impl Calls {
    /// Compares what was granted for calls of these rooms with what holds now, and enforces the difference: first in the
    /// database, then at the SFUs. An SFU that cannot be told is told at the next sweep.
    pub(crate) async fn enforce_in(&self, rooms: &[RoomNumber]) -> Result<(), CallError> {
        self.enforce(grants::of_rooms(self.database(), rooms).await?)
            .await
    }

    /// As [`Calls::enforce_in`], everywhere.
    pub(crate) async fn enforce_everywhere(&self) -> Result<(), CallError> {
        self.enforce(grants::all(self.database()).await?).await
    }

    async fn enforce(&self, mut grants: Vec<Grant>) -> Result<(), CallError> {
        grants.retain(|grant| !grant.is_revoked);
        if grants.is_empty() {
            return Ok(());
        }
        let known = Known::load(self, &grants).await?;
        let mut changed = Vec::new();
        let mut logged_out = Vec::new();
        let mut change = Change::new();
        for mut grant in grants {
            let holds = known.permission(self, &grant).await?;
            let is_kept = holds.as_ref().is_some_and(|may| *may == grant.permission);
            if is_kept {
                continue;
            }
            if known.is_logged_out(&grant) {
                logged_out.push((grant.user, grant.device_id.clone()));
            }
            grant.is_revoked = holds.is_none();
            grant.permission = holds.unwrap_or_default();
            grants::revise(&mut change, &grant);
            changed.push(grant);
        }
        if changed.is_empty() {
            return Ok(());
        }
        self.database().writer().commit(change).await?;
        self.order(changed).await;
        for (user, device_id) in logged_out {
            // It can say no more that it has left, so that this is said for it.
            if let Some(device_id) = device_id {
                self.delayed().end_of_session(user, &device_id).await?;
            }
        }
        Ok(())
    }

    /// Tells the SFUs what became of grants.
    pub(crate) async fn order(&self, changed: Vec<Grant>) {
        let order = |grant: Grant| async move {
            if let Err(error) = self.order_one(&grant).await {
                tracing::warn!(sfu = label(&grant.seat.sfu), %error, "an SFU could not be told of a right that changed");
            }
        };
        stream::iter(changed)
            .map(order)
            .buffer_unordered(ORDERS_AT_ONCE)
            .collect::<()>()
            .await;
    }

    async fn order_one(&self, grant: &Grant) -> Result<(), CallError> {
        let seat = &grant.seat;
        let Some(sfu) = self.sfus().by_name(&seat.sfu) else {
            return Ok(());
        };
        if !grant.is_revoked {
            sfu.permit(&seat.livekit_room, &seat.identity, &grant.permission)
                .await?;
        } else if sfu.remove(&seat.livekit_room, &seat.identity).await? {
            metrics::counter!("echorift_calls_evictions_total").increment(1);
            tracing::info!(
                sfu = label(&seat.sfu),
                "somebody who may no longer take part was put out of a call"
            );
        }
        Ok(())
    }
}

/// What decides about some grants, read at once.
struct Known {
    holders: Holders,
    ended_devices: HashSet<(UserNumber, OwnedDeviceId)>,
}

impl Known {
    async fn load(calls: &Calls, grants: &[Grant]) -> Result<Self, CallError> {
        let devices = grants.iter();
        let devices: Vec<_> = devices
            .filter_map(|grant| Some((grant.user, grant.device_id.clone()?)))
            .collect();
        let ended = calls.accounts().ended_devices(&devices).await?;
        Ok(Self {
            holders: calls.holders(grants.iter()).await?,
            ended_devices: ended.into_iter().collect(),
        })
    }

    /// Whether the device that a grant was given to is no more.
    fn is_logged_out(&self, grant: &Grant) -> bool {
        let device_id = grant.device_id.clone();
        device_id.is_some_and(|device_id| self.ended_devices.contains(&(grant.user, device_id)))
    }

    /// What the holder of a grant may send now; `None` if they may not take part.
    async fn permission(&self, calls: &Calls, grant: &Grant) -> Result<Option<Permission>, CallError> {
        let Some((room, user_id)) = self.holders.of(grant) else {
            return Ok(None);
        };
        if self.is_logged_out(grant) {
            return Ok(None);
        }
        let standing = Standing {
            room,
            user: grant.user,
            user_id,
        };
        let holds = calls.permission(&standing).await?;
        Ok(holds.map(|may| {
            if grant.is_listener {
                Permission::nothing()
            } else {
                may
            }
        }))
    }
}
