//! With whom this server federates, and about what.

mod glob;
mod options;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use echorift_rooms::AliasObserver;
use parking_lot::RwLock;
use ruma::{
    OwnedRoomAliasId, OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, ServerName, UserId,
    events::TimelineEventType,
};

pub use self::{
    glob::Glob,
    options::{FederationMode, Partner, PolicyOptions},
};

/// The operator's rules for the border. Cheap to clone.
#[derive(Clone)]
pub struct Policy(Arc<Inner>);

struct Inner {
    server_name: OwnedServerName,
    options: PolicyOptions,
    /// The aliases of this server that some partner's `rooms` match, by room. Short, and never waited for.
    aliases: RwLock<HashMap<OwnedRoomId, BTreeSet<OwnedRoomAliasId>>>,
}

/// What somebody wants to do across the border, for [`Policy::allows`].
#[derive(Debug, Clone, Copy)]
pub enum Crossing<'a> {
    /// Any contact at all.
    Contact,
    /// Taking part in a room: joins, invites, knocks, queries about it, EDUs.
    Room(&'a RoomId),
    /// An event of this type in the room.
    Event(&'a RoomId, &'a TimelineEventType),
    /// A user of ours who takes part with them, or is seen by them; others' users may always cross.
    User(&'a UserId),
    /// Media of ours for them, or of theirs for us.
    Media,
    /// One field of a profile of ours.
    ProfileField(&'a str),
    /// Calls with them.
    Calls,
}

impl Crossing<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Room(_) => "room",
            Self::Event(..) => "event",
            Self::User(_) => "user",
            Self::Media => "media",
            Self::ProfileField(_) => "profile_field",
            Self::Calls => "calls",
        }
    }
}

impl Policy {
    pub(crate) fn new(server_name: OwnedServerName, options: PolicyOptions) -> Self {
        Self(Arc::new(Inner {
            server_name,
            options,
            aliases: RwLock::default(),
        }))
    }

    /// Whether this may cross the border to or from `server`. Refusals are logged and counted here.
    ///
    /// Whatever else crosses needs contact, and an event its room; callers need not ask for both.
    pub fn allows(&self, server: &ServerName, crossing: Crossing<'_>) -> bool {
        if self.judge(server, crossing) {
            return true;
        }
        let kind = crossing.kind();
        metrics::counter!("echorift_federation_policy_refusals_total", "kind" => kind).increment(1);
        tracing::debug!(%server, ?crossing, "the policy keeps this from crossing the border");
        false
    }

    /// Those of these servers that any contact is allowed with. Counts no refusals.
    pub fn reachable(&self, servers: Vec<OwnedServerName>) -> Vec<OwnedServerName> {
        self.allowed(servers, Crossing::Contact)
    }

    /// Those of these servers with which this may cross the border. Counts no refusals, for it is a choice among many.
    pub fn allowed(&self, mut servers: Vec<OwnedServerName>, crossing: Crossing<'_>) -> Vec<OwnedServerName> {
        servers.retain(|server| self.judge(server, crossing));
        servers
    }

    /// Whether the operator names a server as a partner, and lets it in.
    pub fn is_partner(&self, server: &ServerName) -> bool {
        self.judge(server, Crossing::Contact) && self.partner(server).is_some()
    }

    /// Whether a server is a region: a part of the same company, without limits.
    pub fn is_region(&self, server: &ServerName) -> bool {
        self.judge(server, Crossing::Contact) && self.partner(server).is_some_and(|partner| partner.region)
    }

    fn judge(&self, server: &ServerName, crossing: Crossing<'_>) -> bool {
        let options = &self.0.options;
        if *server == self.0.server_name {
            return true;
        }
        if options.mode == FederationMode::Off || matches_server(&options.deny, server) {
            return false;
        }
        let Some(partner) = self.partner(server) else {
            return options.mode == FederationMode::Open || matches_server(&options.allow, server);
        };
        partner.region || self.is_within(partner, crossing)
    }

    fn partner(&self, server: &ServerName) -> Option<&Partner> {
        let partners = self.0.options.partners.iter();
        partners
            .into_iter()
            .find(|partner| matches_server([&partner.server], server))
    }

    fn is_within(&self, partner: &Partner, crossing: Crossing<'_>) -> bool {
        let in_room = |room: &RoomId| {
            partner.rooms.as_ref().is_none_or(|globs| {
                let aliases = self.0.aliases.read();
                let aliases = aliases.get(room);
                globs.iter().any(|glob| {
                    glob.matches(room.as_str())
                        || aliases
                            .is_some_and(|aliases| aliases.iter().any(|alias| glob.matches(alias.as_str())))
                })
            })
        };
        let any = |globs: &Option<Vec<Glob>>, text: &str| {
            globs
                .as_ref()
                .is_none_or(|globs| globs.iter().any(|glob| glob.matches(text)))
        };
        match crossing {
            Crossing::Contact => true,
            Crossing::Room(room) => in_room(room),
            Crossing::Event(room, event_type) => {
                in_room(room)
                    && (holds_a_room_together(event_type)
                        || any(&partner.event_types, &event_type.to_string()))
            }
            Crossing::User(user) => {
                user.server_name() != self.0.server_name || any(&partner.users, user.as_str())
            }
            Crossing::Media => partner.media,
            Crossing::ProfileField(field) => {
                let fields = partner.profile_fields.as_ref();
                fields.is_none_or(|fields| fields.iter().any(|allowed| allowed == field))
            }
            Crossing::Calls => partner.calls,
        }
    }

    /// Whether the rules speak of aliases, so that they are to be told of all there are.
    pub(crate) fn needs_aliases(&self) -> bool {
        self.alias_globs().next().is_some()
    }

    fn alias_globs(&self) -> impl Iterator<Item = &Glob> {
        let partners = self.0.options.partners.iter();
        let rooms = partners.filter_map(|partner| partner.rooms.as_ref());
        rooms.flatten().filter(|glob| glob.is_alias())
    }
}

impl AliasObserver for Policy {
    fn alias_made(&self, alias: &RoomAliasId, room: &RoomId) {
        if !self.alias_globs().any(|glob| glob.matches(alias.as_str())) {
            return;
        }
        let mut aliases = self.0.aliases.write();
        aliases.retain(|_, of_room| {
            of_room.remove(alias);
            !of_room.is_empty()
        });
        aliases
            .entry(room.to_owned())
            .or_default()
            .insert(alias.to_owned());
    }

    fn alias_gone(&self, alias: &RoomAliasId) {
        self.0.aliases.write().retain(|_, of_room| {
            of_room.remove(alias);
            !of_room.is_empty()
        });
    }
}

/// A pattern without a port is about the host, whatever its port.
fn matches_server<'g>(globs: impl IntoIterator<Item = &'g Glob>, server: &ServerName) -> bool {
    globs
        .into_iter()
        .any(|glob| glob.matches(server.as_str()) || glob.matches(server.host()))
}

/// Events without which a server could not tell who is in a room and may do what: no limit on types keeps them back.
fn holds_a_room_together(event_type: &TimelineEventType) -> bool {
    matches!(
        event_type,
        TimelineEventType::RoomCreate
            | TimelineEventType::RoomMember
            | TimelineEventType::RoomPowerLevels
            | TimelineEventType::RoomJoinRules
            | TimelineEventType::RoomThirdPartyInvite
            | TimelineEventType::RoomHistoryVisibility
            | TimelineEventType::RoomServerAcl
            | TimelineEventType::RoomEncryption
            | TimelineEventType::RoomRedaction
            | TimelineEventType::RoomTombstone
    )
}
