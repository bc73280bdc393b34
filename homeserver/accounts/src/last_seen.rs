use std::net::IpAddr;

use dashmap::DashMap;
use echorift_storage::{Change, Timestamp, UserNumber};
use echorift_web::{ClientAddress, Session};

use crate::store;

/// When devices were last heard of: noted in memory at each request, written in one batch now and then. A crash loses
/// a minute of it, which nobody was promised.
pub(crate) struct LastSeen(DashMap<i64, Seen>);

struct Seen {
    user: UserNumber,
    device_id: ruma::OwnedDeviceId,
    at: Timestamp,
    address: Option<IpAddr>,
}

impl LastSeen {
    pub(crate) fn new() -> Self {
        Self(DashMap::new())
    }

    pub(crate) fn note(&self, session: &Session, address: ClientAddress, now: Timestamp) {
        if let Some(mut seen) = self.0.get_mut(&session.session_number) {
            seen.at = now;
            seen.address = address.0.or(seen.address);
            return;
        }
        let (user, device_id) = (UserNumber(session.user_number), session.device_id.clone());
        self.0.insert(
            session.session_number,
            Seen {
                user,
                device_id,
                at: now,
                address: address.0,
            },
        );
    }

    /// Everything noted since the last call, as one change; `None` if there is nothing.
    pub(crate) fn take(&self) -> Option<Change> {
        let mut change = Change::new();
        let mut is_empty = true;
        self.0.retain(|_, seen| {
            is_empty = false;
            let ip = seen.address.map(|address| address.to_string());
            change.write(
                &store::devices::SEEN,
                store::devices::seen(seen.user, seen.device_id.as_str(), seen.at, ip.as_deref()),
            );
            false
        });
        (!is_empty).then_some(change)
    }
}
