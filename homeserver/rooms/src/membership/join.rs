//! Joining and knocking, restricted rooms included (CS API § Restricted rooms).

use std::sync::Arc;

use echorift_accounts::Accounts;
use echorift_storage::UserNumber;
use ruma::{
    OwnedRoomId, OwnedUserId, UserId,
    api::client::membership::ThirdPartySigned,
    events::{StateEventType, room::member::MembershipState},
};
use serde_json::{json, value::RawValue};

use super::{MemberContent, raw};
use crate::{EventDraft, Room, RoomError, Rooms, State, facts::JoinRules};

/// Where everybody may invite, as many members are looked at for one from whom it was not taken.
const INVITERS_TRIED: usize = 32;

/// How somebody wants to join.
#[derive(Debug, Clone, Default)]
pub struct JoinRequest {
    pub reason: Option<String>,
    /// Turns a pending `m.room.third_party_invite` into an invite of the user.
    pub third_party_signed: Option<ThirdPartySigned>,
}

impl Rooms {
    /// Joins a local user to a room; nothing happens if they are in it.
    ///
    /// Errors: `Refused`, `Forbidden`, `Blocked`, and `CannotAuthoriseJoin` for a restricted room whose conditions are met but in
    /// which nobody of this server may invite.
    pub async fn join(
        &self,
        accounts: &Accounts,
        room: &Arc<Room>,
        user: &UserId,
        request: JoinRequest,
    ) -> Result<(), RoomError> {
        let membership = self
            .membership(&room.view().state, user)
            .await?
            .map(|(membership, _)| membership);
        if membership == Some(MembershipState::Join) {
            return Ok(());
        }
        self.check_not_blocked(&room.id).await?;
        if let Some(signed) = request.third_party_signed
            && membership != Some(MembershipState::Invite)
        {
            self.accept_third_party_invite(room, user, &signed).await?;
        }
        let profile = accounts.profile(user).await?;
        let content = MemberContent::new(MembershipState::Join)
            .with_profile(profile.as_ref())
            .with_reason(request.reason);
        match self.find_authoriser(room, user).await {
            Ok(authoriser) => {
                let content = content.with_authoriser(authoriser);
                self.append(room, content.draft(user, user)?).await?;
            }
            Err(error @ RoomError::CannotAuthoriseJoin(_)) => {
                self.join_by_inviter(room, user, raw(&content)?, error).await?;
            }
            Err(error) => return Err(error),
        }
        self.carry_over_settings(accounts, room, user).await;
        Ok(())
    }

    /// Asks to be let in; nothing happens if the user knocks already. Errors: `Refused`, `Blocked`.
    pub async fn knock(
        &self,
        accounts: &Accounts,
        room: &Arc<Room>,
        user: &UserId,
        reason: Option<String>,
    ) -> Result<(), RoomError> {
        let membership = self.membership(&room.view().state, user).await?;
        if matches!(membership, Some((MembershipState::Knock, _))) {
            return Ok(());
        }
        self.check_not_blocked(&room.id).await?;
        let profile = accounts.profile(user).await?;
        let content = MemberContent::new(MembershipState::Knock)
            .with_profile(profile.as_ref())
            .with_reason(reason);
        self.append(room, content.draft(user, user)?).await?;
        Ok(())
    }

    /// Makes the invite that a token from an identity server stands for.
    async fn accept_third_party_invite(
        &self,
        room: &Arc<Room>,
        user: &UserId,
        signed: &ThirdPartySigned,
    ) -> Result<(), RoomError> {
        let text =
            raw(&json!({ "mxid": signed.mxid, "token": signed.token, "signatures": signed.signatures }))?;
        let people = (&*signed.sender, user);
        let content = self.third_party_invite_content(room, people, &text).await?;
        let draft = EventDraft::state(&signed.sender, StateEventType::RoomMember, user.as_str(), content);
        self.append(room, draft).await?;
        Ok(())
    }

    /// The content of the invite that a token from an identity server stands for. The authorisation rules compare its
    /// signature with the keys in the pending `m.room.third_party_invite`.
    ///
    /// Errors: `Forbidden` if there is no such invite by `sender`, or it is not for `invitee`.
    pub async fn third_party_invite_content(
        &self,
        room: &Room,
        (sender, invitee): (&UserId, &UserId),
        signed: &RawValue,
    ) -> Result<Box<RawValue>, RoomError> {
        #[derive(serde::Deserialize)]
        struct Signed {
            mxid: OwnedUserId,
            token: String,
        }
        #[derive(Default, serde::Deserialize)]
        struct Pending {
            #[serde(default)]
            display_name: String,
        }
        let read: Signed =
            serde_json::from_str(signed.get()).map_err(|error| RoomError::BadRequest(error.to_string()))?;
        let pending = self
            .state_event(&room.view().state, "m.room.third_party_invite", &read.token)
            .await?;
        let pending = pending.filter(|pending| pending.pdu.sender == sender && read.mxid == invitee);
        let pending =
            pending.ok_or_else(|| RoomError::Forbidden("This invite is not for you.".to_owned()))?;
        let named: Pending = pending.pdu.content_as().unwrap_or_default();
        let invite = json!({ "display_name": named.display_name, "signed": signed });
        raw(&MemberContent::new(MembershipState::Invite).with_third_party_invite(invite))
    }

    /// Who of this server vouches for the join of a user of any server, if it takes that: `None` where the user may join
    /// anyway, and where the rules will refuse the join for the right reason.
    ///
    /// Errors: `Forbidden` if the conditions are not met, `CannotJudgeConditions`, `CannotAuthoriseJoin`.
    pub async fn find_authoriser(
        &self,
        room: &Room,
        user: &UserId,
    ) -> Result<Option<OwnedUserId>, RoomError> {
        if !room.rules.authorization.restricted_join_rule {
            return Ok(None);
        }
        let view = room.view();
        let rules = self.join_rules(&view.state).await?;
        if !rules.is_restricted() {
            return Ok(None);
        }
        let membership = self
            .membership(&view.state, user)
            .await?
            .map(|(membership, _)| membership);
        if let Some(MembershipState::Join | MembershipState::Invite | MembershipState::Ban) = membership {
            return Ok(None);
        }
        if !self.meets_conditions(&rules, user).await? {
            if !self.is_local(user) && !self.knows_all_of(&rules).await? {
                return Err(RoomError::CannotJudgeConditions);
            }
            return Err(RoomError::Forbidden(
                "You meet none of this room's conditions for joining.".to_owned(),
            ));
        }
        match self.find_inviter(room, &view.state).await? {
            Some(inviter) => Ok(Some(inviter)),
            None => Err(RoomError::CannotAuthoriseJoin(
                "nobody of this server may invite to this room".to_owned(),
            )),
        }
    }

    /// Whether the user is in one of the rooms whose members may join.
    pub(crate) async fn meets_conditions(&self, rules: &JoinRules, user: &UserId) -> Result<bool, RoomError> {
        let number = self.user_number(user).await?;
        let rooms = self.rooms_of(number).await?;
        let numbers = self.room_numbers(&rules.allowed_rooms()).await?;
        let is_joined = |number| {
            rooms
                .get(number)
                .is_some_and(|mine| mine.membership == MembershipState::Join)
        };
        Ok(numbers.iter().any(is_joined))
    }

    /// Whether this server is in every room whose members may join, so that it knows who is in them.
    async fn knows_all_of(&self, rules: &JoinRules) -> Result<bool, RoomError> {
        let wanted = rules.allowed_rooms();
        let rooms = self.load(&self.room_numbers(&wanted).await?).await?;
        let is_known = |id: &OwnedRoomId| rooms.iter().any(|room| room.id == *id && self.is_in(room));
        Ok(wanted.iter().all(is_known))
    }

    /// Someone of this server who is in the room and may invite.
    pub(super) async fn find_inviter(
        &self,
        room: &Room,
        state: &State,
    ) -> Result<Option<OwnedUserId>, RoomError> {
        let (levels, creators) = self.power_levels(room, state).await?;
        let members = room.view().members.joined_local.clone();
        // Most rooms let everybody invite; where not, those who may are listed by name.
        if levels.users_default() >= levels.invite() {
            let some: Vec<UserNumber> = members.iter().take(INVITERS_TRIED).copied().collect();
            let able = self
                .user_ids(&some)
                .await?
                .into_iter()
                .find(|user| levels.can_invite(user));
            if able.is_some() {
                return Ok(able);
            }
        }
        for user in creators.iter().chain(levels.users().keys()) {
            if !self.is_local(user) || !levels.can_invite(user) {
                continue;
            }
            let number = self.users().find(user.as_str()).await?.map(UserNumber);
            if number.is_some_and(|number| members.contains(&number)) {
                return Ok(Some(user.clone()));
            }
        }
        Ok(None)
    }

    /// Joins a local user without asking other servers; `content` is that of the member event, and gets the permission of
    /// restricted rooms added. Errors as [`Rooms::find_authoriser`], `Blocked`, and `Refused`.
    pub async fn join_here(
        &self,
        room: &Arc<Room>,
        user: &UserId,
        content: Box<RawValue>,
    ) -> Result<(), RoomError> {
        self.check_not_blocked(&room.id).await?;
        let content = self.with_authoriser(room, user, content).await?;
        let draft = EventDraft::state(user, StateEventType::RoomMember, user.as_str(), content);
        self.append(room, draft).await?;
        Ok(())
    }

    /// The content of a join, with who vouches for it if it takes that and the client does not say.
    async fn with_authoriser(
        &self,
        room: &Room,
        user: &UserId,
        content: Box<RawValue>,
    ) -> Result<Box<RawValue>, RoomError> {
        const KEY: &str = "join_authorised_via_users_server";
        let read: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(content.get());
        let mut fields = read.map_err(|error| RoomError::BadRequest(error.to_string()))?;
        // Whom the client names was not asked whether the conditions are met.
        let named = fields.remove(KEY);
        match self.find_authoriser(room, user).await? {
            Some(authoriser) => {
                fields.insert(KEY.to_owned(), authoriser.to_string().into());
                raw(&fields)
            }
            None if named.is_some() => raw(&fields),
            None => Ok(content),
        }
    }
}
