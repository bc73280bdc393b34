//! With whom this server federates, and about what.

use ruma::{OwnedServerName, RoomId, ServerName, events::TimelineEventType};

/// The operator's rules for the border. Cheap to clone.
#[derive(Clone)]
pub struct Policy;

/// What somebody wants to do across the border, for [`Policy::allows`].
#[derive(Debug, Clone, Copy)]
pub enum Crossing<'a> {
    /// Any contact at all.
    Contact,
    /// Taking part in a room: joins, invites, knocks, queries about it, EDUs.
    Room(&'a RoomId),
    /// An event of this type in the room.
    Event(&'a RoomId, &'a TimelineEventType),
    /// Media of ours for them, or of theirs for us.
    Media,
    /// One field of a profile of ours.
    ProfileField(&'a str),
}

impl Policy {
    pub(crate) fn new() -> Self {
        Self
    }

    /// Whether this may cross the border to or from `server`. Refusals are logged and counted here.
    pub fn allows(&self, server: &ServerName, crossing: Crossing<'_>) -> bool {
        let _ = (server, crossing);
        true
    }

    /// Those of these servers that any contact is allowed with.
    pub fn reachable(&self, servers: Vec<OwnedServerName>) -> Vec<OwnedServerName> {
        servers
            .into_iter()
            .filter(|server| self.allows(server, Crossing::Contact))
            .collect()
    }
}
