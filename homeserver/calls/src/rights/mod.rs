//! What a room says of somebody holds in its calls at once: who is kicked, banned, locked or logged out is put out, and who is
//! demoted or suspended falls silent.

mod follow;
mod moderate;

use std::{collections::HashMap, sync::Arc};

use echorift_accounts::AccountError;
use echorift_rooms::Room;
use echorift_storage::{Change, RoomNumber, UserNumber};
use futures_util::{StreamExt as _, stream};
use ruma::{OwnedDeviceId, OwnedUserId};

pub(crate) use self::{
    follow::{Changes, Listener, follow},
    moderate::Participant,
};
use crate::{CallError, Calls, Permission, authorisation::Standing, calls::Grant, store::grants};

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
                tracing::warn!(sfu = grant.seat.sfu, %error, "an SFU could not be told of a right that changed");
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
                sfu = seat.sfu,
                "somebody who may no longer take part was put out of a call"
            );
        }
        Ok(())
    }
}

/// What decides about some grants, read at once.
struct Known {
    rooms: HashMap<RoomNumber, Arc<Room>>,
    users: HashMap<UserNumber, OwnedUserId>,
    ended_devices: Vec<(UserNumber, OwnedDeviceId)>,
}

impl Known {
    async fn load(calls: &Calls, grants: &[Grant]) -> Result<Self, CallError> {
        let mut rooms: Vec<RoomNumber> = grants.iter().map(|grant| grant.room).collect();
        let mut users: Vec<UserNumber> = grants.iter().map(|grant| grant.user).collect();
        rooms.sort_unstable();
        rooms.dedup();
        users.sort_unstable();
        users.dedup();
        let devices: Vec<_> = grants
            .iter()
            .filter_map(|grant| Some((grant.user, grant.device_id.clone()?)))
            .collect();
        let ended: Result<_, AccountError> = calls.accounts().ended_devices(&devices).await;
        let rooms = calls.rooms().load(&rooms).await?;
        let user_ids = calls.rooms().user_ids(&users).await?;
        Ok(Self {
            rooms: rooms.into_iter().map(|room| (room.number, room)).collect(),
            users: users.into_iter().zip(user_ids).collect(),
            ended_devices: ended?,
        })
    }

    /// Whether the device that a grant was given to is no more.
    fn is_logged_out(&self, grant: &Grant) -> bool {
        grant.device_id.as_ref().is_some_and(|device_id| {
            let is_it =
                |(user, ended): &(UserNumber, OwnedDeviceId)| *user == grant.user && ended == device_id;
            self.ended_devices.iter().any(is_it)
        })
    }

    /// What the holder of a grant may send now; `None` if they may not take part.
    async fn permission(&self, calls: &Calls, grant: &Grant) -> Result<Option<Permission>, CallError> {
        let (Some(room), Some(user_id)) = (self.rooms.get(&grant.room), self.users.get(&grant.user)) else {
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
