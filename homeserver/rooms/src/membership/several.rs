//! Several users of this server entering or leaving one room at once, as the company's directory has it.

use std::{collections::HashMap, sync::Arc};

use echorift_accounts::Accounts;
use echorift_storage::{Change, StorageError, UserNumber};
use ruma::{EventId, OwnedUserId, events::room::member::MembershipState};

use super::MemberContent;
use crate::{Room, RoomError, Rooms, store};

/// Somebody of this server who is to enter a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrant {
    pub user_id: OwnedUserId,
    pub entry: Entry,
}

/// By what right somebody enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The room is open to them, or they are invited.
    Alone,
    /// They meet the conditions of a restricted room, and this member vouches for it.
    VouchedBy(OwnedUserId),
    /// This member invites them first.
    InvitedBy(OwnedUserId),
}

impl Rooms {
    /// Lets users of this server into a room, all in one commit with what `also` writes. Those who are invited join at
    /// once, so that nobody is asked and no invite is pushed to anyone.
    ///
    /// Errors: `Refused` if one of them may not enter; then nobody does. `Blocked`.
    pub async fn let_in(
        &self,
        accounts: &Accounts,
        room: &Arc<Room>,
        entrants: &[Entrant],
        also: impl FnOnce(&mut Change, &EventId),
    ) -> Result<(), RoomError> {
        self.check_not_blocked(&room.id).await?;
        let users: Vec<OwnedUserId> = entrants.iter().map(|entrant| entrant.user_id.clone()).collect();
        let profiles = accounts.profiles(&users).await?;
        let mut drafts = Vec::with_capacity(entrants.len());
        for Entrant { user_id, entry } in entrants {
            let profile = profiles.get(user_id);
            let authoriser = match entry {
                Entry::Alone => None,
                Entry::VouchedBy(member) => Some(member.clone()),
                Entry::InvitedBy(member) => {
                    let invite = MemberContent::new(MembershipState::Invite).with_profile(profile);
                    drafts.push(invite.draft(member, user_id)?);
                    None
                }
            };
            let join = MemberContent::new(MembershipState::Join).with_profile(profile);
            drafts.push(join.with_authoriser(authoriser).draft(user_id, user_id)?);
        }
        self.append_with(room, drafts, also).await?;
        Ok(())
    }

    /// Has users of this server leave a room that it is in, all in one commit with what `also` writes. That takes no
    /// power in the room: each leaves for themselves.
    pub async fn lead_out(
        &self,
        room: &Arc<Room>,
        users: &[OwnedUserId],
        reason: &str,
        also: impl FnOnce(&mut Change, &EventId),
    ) -> Result<(), RoomError> {
        let leave = MemberContent::new(MembershipState::Leave).with_reason(Some(reason.to_owned()));
        let drafts: Result<Vec<_>, _> = users.iter().map(|user| leave.draft(user, user)).collect();
        self.append_with(room, drafts?, also).await?;
        Ok(())
    }

    /// What these users are to a room; those who never were anything are left out. One query.
    pub async fn memberships_among(
        &self,
        room: &Room,
        users: &[UserNumber],
    ) -> Result<HashMap<UserNumber, MembershipState>, StorageError> {
        store::memberships::among(self.database(), room.number, users).await
    }

    /// Who of this server may vouch for those who meet the conditions of this restricted room; `None` if nobody may.
    pub async fn find_voucher(&self, room: &Room) -> Result<Option<OwnedUserId>, RoomError> {
        if !room.rules.authorization.restricted_join_rule {
            return Ok(None);
        }
        self.find_inviter(room, &room.view().state).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::testing::on_both_databases;

    on_both_databases! {
        async fn several_enter_and_leave_in_one_commit_each(server: &TestRooms) {
            let host = server.register("host").await;
            let guests = [server.register("anna").await, server.register("ben").await];
            let room = server.create(&host, json!({ "preset": "private_chat" })).await.unwrap();
            let entrants: Vec<Entrant> = guests
                .iter()
                .map(|user_id| Entrant { user_id: user_id.clone(), entry: Entry::InvitedBy(host.clone()) })
                .collect();
            let before = room.view().position;
            let mut writes = 0;
            server.rooms.let_in(&server.accounts, &room, &entrants, |_, _| writes += 1).await.unwrap();
            let entered = server.rooms.timeline(&room, (before, room.view().position), crate::Order::OldestFirst, 9).await;
            assert_eq!((entered.unwrap().len(), writes), (4, 1));
            for guest in &guests {
                assert_eq!(server.membership(&room, guest).await, Some(MembershipState::Join));
            }
            server.rooms.lead_out(&room, &guests, "The team has moved.", |_, _| ()).await.unwrap();
            let numbers = [server.number(&guests[0]).await, server.number(&host).await];
            let found = server.rooms.memberships_among(&room, &numbers).await.unwrap();
            assert_eq!((&found[&numbers[0]], &found[&numbers[1]]), (&MembershipState::Leave, &MembershipState::Join));
        }

        async fn one_who_may_not_enter_keeps_the_others_out(server: &TestRooms) {
            let host = server.register("host").await;
            let guests = [server.register("anna").await, server.register("ben").await];
            let room = server.create(&host, json!({ "preset": "public_chat" })).await.unwrap();
            server.rooms.ban(&room, (&host, &guests[1]), None).await.unwrap();
            let entrants = guests.clone().map(|user_id| Entrant { user_id, entry: Entry::Alone });
            let refusal = server.rooms.let_in(&server.accounts, &room, &entrants, |_, _| ()).await;
            assert!(matches!(refusal, Err(RoomError::Refused(_))), "{refusal:?}");
            assert_eq!(server.membership(&room, &guests[0]).await, None);
        }
    }
}
