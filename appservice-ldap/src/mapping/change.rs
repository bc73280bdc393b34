//! What a plan consists of, in words for operators.

use std::fmt;

use echorift_rooms::Entry;
use ruma::OwnedUserId;

use super::{
    config::RoomName,
    target::{Blueprint, RoomKind},
};
use crate::mirror::Dn;

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Create {
        room: RoomName,
        kind: RoomKind,
        blueprint: Blueprint,
        /// The space that it belongs to.
        within: Option<RoomName>,
    },
    /// A channel becomes part of a space.
    AddChild {
        space: RoomName,
        channel: RoomName,
    },
    /// The account as which the directory acts enters the room.
    Enter {
        room: RoomName,
    },
    Join {
        room: RoomName,
        user: OwnedUserId,
        /// `None` where only another server can let them in.
        entry: Option<Entry>,
        group: Dn,
    },
    Remove {
        room: RoomName,
        user: OwnedUserId,
    },
    SetPower {
        room: RoomName,
        user: OwnedUserId,
        from: i64,
        to: i64,
        group: Dn,
    },
    /// The level that everybody has, `to`, again.
    ResetPower {
        room: RoomName,
        user: OwnedUserId,
        from: i64,
        to: i64,
    },
    GrantAdministrator {
        user: OwnedUserId,
        group: Dn,
    },
    RevokeAdministrator {
        user: OwnedUserId,
    },
    /// What the directory had done is somebody else's by now, and is theirs from here on.
    Forget {
        room: Option<RoomName>,
        user: OwnedUserId,
        what: Owned,
    },
    /// Wished, and out of reach.
    NotPossible {
        room: Option<RoomName>,
        users: Vec<OwnedUserId>,
        why: Obstacle,
    },
}

/// What the directory can own of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owned {
    /// That they are in a room.
    Membership,
    /// Their level in a room.
    Power,
    /// That they administer the server.
    Administration,
}

/// Why something wished cannot be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// There is no such room, and the mapping does not make it, or cannot because it is of another server.
    NoRoom,
    /// The alias stands for a room of the other kind.
    WrongKind { wished: RoomKind },
    /// The server of the alias could not be asked.
    Unreachable(String),
    /// The directory does not hold this group: it was renamed, deleted, or never there.
    NoGroup(Dn),
    /// Nobody of the directory may invite to the room; whoever may has to invite `account` and raise it to `level`.
    MayNotInvite { account: OwnedUserId, level: i64 },
    /// The account's power does not suffice to change these levels.
    MayNotSetPower { account: OwnedUserId, level: i64 },
    /// The account's power does not suffice to add rooms to the space.
    MayNotAddChildren { account: OwnedUserId, level: i64 },
    /// They are banned from the room: that is for people to lift.
    Banned,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => formatter.write_str("there is no such room, and the mapping does not make it"),
            Self::WrongKind { wished } => write!(formatter, "the room is no {}", kind_name(*wished)),
            Self::Unreachable(cause) => write!(formatter, "its server could not be asked: {cause}"),
            Self::NoGroup(group) => write!(
                formatter,
                "the directory has no group {group}: nobody is removed as long as it is missing"
            ),
            Self::MayNotInvite { account, level } => write!(
                formatter,
                "nobody may let them in: invite {account} to the room and give it power level {level}"
            ),
            Self::MayNotSetPower { account, level } => write!(
                formatter,
                "{account} may not set their level: give it power level {level} in the room"
            ),
            Self::MayNotAddChildren { account, level } => write!(
                formatter,
                "its channels are not added: invite {account} to the space and give it power level {level}"
            ),
            Self::Banned => formatter.write_str("they are banned from the room"),
        }
    }
}

impl Change {
    /// Its name in the administration API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create {
                kind: RoomKind::Space,
                ..
            } => "create_space",
            Self::Create { .. } => "create_channel",
            Self::AddChild { .. } => "add_child",
            Self::Enter { .. } => "enter",
            Self::Join { .. } => "join",
            Self::Remove { .. } => "remove",
            Self::SetPower { .. } => "set_power",
            Self::ResetPower { .. } => "reset_power",
            Self::GrantAdministrator { .. } => "grant_administrator",
            Self::RevokeAdministrator { .. } => "revoke_administrator",
            Self::Forget { .. } => "forget",
            Self::NotPossible { .. } => "not_possible",
        }
    }

    /// The room that it is about.
    pub fn room(&self) -> Option<&RoomName> {
        match self {
            Self::Create { room, .. }
            | Self::AddChild { channel: room, .. }
            | Self::Enter { room }
            | Self::Join { room, .. }
            | Self::Remove { room, .. }
            | Self::SetPower { room, .. }
            | Self::ResetPower { room, .. } => Some(room),
            Self::Forget { room, .. } | Self::NotPossible { room, .. } => room.as_ref(),
            Self::GrantAdministrator { .. } | Self::RevokeAdministrator { .. } => None,
        }
    }

    /// Whom it is about.
    pub fn users(&self) -> &[OwnedUserId] {
        match self {
            Self::Join { user, .. }
            | Self::Remove { user, .. }
            | Self::SetPower { user, .. }
            | Self::ResetPower { user, .. }
            | Self::GrantAdministrator { user, .. }
            | Self::RevokeAdministrator { user }
            | Self::Forget { user, .. } => std::slice::from_ref(user),
            Self::NotPossible { users, .. } => users,
            Self::Create { .. } | Self::AddChild { .. } | Self::Enter { .. } => &[],
        }
    }

    /// Whether anything is done: what is not possible is only told.
    pub fn does_something(&self) -> bool {
        !matches!(self, Self::NotPossible { .. })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create {
                room,
                kind,
                blueprint,
                within,
            } => {
                write!(
                    formatter,
                    "make the {} {room} ({})",
                    kind_name(*kind),
                    blueprint.name
                )?;
                match within {
                    Some(space) => write!(formatter, " in {space}"),
                    None => Ok(()),
                }
            }
            Self::AddChild { space, channel } => write!(formatter, "add {channel} to {space}"),
            Self::Enter { room } => write!(formatter, "enter {room}"),
            Self::Join {
                room, user, group, ..
            } => write!(formatter, "join {user} to {room} ({group})"),
            Self::Remove { room, user } => write!(formatter, "remove {user} from {room}"),
            Self::SetPower {
                room,
                user,
                from,
                to,
                group,
            } => write!(formatter, "level of {user} in {room}: {from} to {to} ({group})"),
            Self::ResetPower { room, user, from, to } => {
                write!(formatter, "level of {user} in {room}: {from} back to {to}")
            }
            Self::GrantAdministrator { user, group } => {
                write!(formatter, "make {user} an administrator ({group})")
            }
            Self::RevokeAdministrator { user } => write!(formatter, "{user} administers no more"),
            Self::Forget { room, user, what } => {
                let what = match what {
                    Owned::Membership => "the membership",
                    Owned::Power => "the level",
                    Owned::Administration => "the administration",
                };
                write!(formatter, "leave {what} of {user} to those who changed it")?;
                match room {
                    Some(room) => write!(formatter, " in {room}"),
                    None => Ok(()),
                }
            }
            Self::NotPossible { room, users, why } => {
                formatter.write_str("not possible")?;
                if let Some(room) = room {
                    write!(formatter, " in {room}")?;
                }
                match users.as_slice() {
                    [] => {}
                    [user] => write!(formatter, " for {user}")?,
                    [user, others @ ..] => write!(formatter, " for {user} and {} more", others.len())?,
                }
                write!(formatter, ": {why}")
            }
        }
    }
}

fn kind_name(kind: RoomKind) -> &'static str {
    match kind {
        RoomKind::Space => "space",
        RoomKind::Channel => "channel",
    }
}

/// Where people have made a room differ from what the directory wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// `None` where it is about the server.
    pub room: Option<RoomName>,
    pub user: OwnedUserId,
    pub kind: DriftKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftKind {
    /// The directory brought them in; they left or were removed since.
    Left,
    /// Wished in the room, and banned from it.
    Banned,
    /// In the room, and in none of its groups.
    AddedByHand,
    /// Their level is another than the wished one.
    Power { wished: Option<i64>, found: i64 },
    /// The directory made them an administrator, and somebody took that back.
    NoAdministrator,
}

impl DriftKind {
    /// Its name in the administration API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Banned => "banned",
            Self::AddedByHand => "added_by_hand",
            Self::Power { .. } => "power",
            Self::NoAdministrator => "no_administrator",
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { room, user, kind } = self;
        let room = room.as_ref().map(ToString::to_string).unwrap_or_default();
        match kind {
            DriftKind::Left => write!(formatter, "{user} has left {room}, or was removed from it"),
            DriftKind::Banned => write!(formatter, "{user} is banned from {room}"),
            DriftKind::AddedByHand => write!(formatter, "{user} is in {room} without its groups"),
            DriftKind::Power {
                wished: Some(wished),
                found,
            } => write!(
                formatter,
                "{user} has level {found} in {room} instead of {wished}"
            ),
            DriftKind::Power { wished: None, found } => {
                write!(
                    formatter,
                    "{user} has level {found} in {room} instead of everybody's"
                )
            }
            DriftKind::NoAdministrator => write!(formatter, "{user} does not administer the server"),
        }
    }
}
