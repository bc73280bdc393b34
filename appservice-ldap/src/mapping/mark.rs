//! What the directory owns: that it brought somebody into a room, and the level that it gave them.

use super::change::{Change, Owned};
use crate::mirror::Dn;

/// What the directory has done about somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// It brought them in.
    pub is_member: bool,
    /// It gave them this level.
    pub level: Option<i64>,
    /// The group for which it did so last.
    pub group: Dn,
}

/// What is owned of somebody after a change that is about them; `None` for nothing.
pub(crate) fn mark_after(before: Option<&Mark>, change: &Change) -> Option<Mark> {
    let before = before.cloned();
    let after = match change {
        Change::Join { group, .. } => Some(Mark {
            is_member: true,
            level: before.and_then(|mark| mark.level),
            group: group.clone(),
        }),
        Change::SetPower { to, group, .. } => Some(Mark {
            is_member: before.is_some_and(|mark| mark.is_member),
            level: Some(*to),
            group: group.clone(),
        }),
        Change::ResetPower { .. }
        | Change::Forget {
            what: Owned::Power, ..
        } => before.map(|mark| Mark { level: None, ..mark }),
        Change::Remove { .. } => None,
        Change::Forget {
            what: Owned::Membership,
            ..
        } => before.map(|mark| Mark {
            is_member: false,
            ..mark
        }),
        Change::Create { .. }
        | Change::AddChild { .. }
        | Change::Enter { .. }
        | Change::GrantAdministrator { .. }
        | Change::RevokeAdministrator { .. }
        | Change::Forget {
            what: Owned::Administration,
            ..
        }
        | Change::NotPossible { .. } => before,
    };
    after.filter(|mark| mark.is_member || mark.level.is_some())
}
