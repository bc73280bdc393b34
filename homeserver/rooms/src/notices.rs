//! What the server itself writes to people (CS API § Server notices).

use std::sync::Arc;

use echorift_accounts::{Accounts, ServiceAccount};
use echorift_storage::{StorageError, UserNumber};
use ruma::{
    OwnedEventId, OwnedMxcUri, OwnedUserId, UserId,
    api::client::room::create_room::v3::{Request, RoomPreset},
    events::{TimelineEventType, room::member::MembershipState},
    serde::Raw,
};
use serde_json::{json, value::RawValue};

use crate::{Event, EventDraft, Room, RoomError, Rooms, Transaction, create::Beside, membership::raw, store};

/// By this tag clients know the room.
const TAG: &str = "m.server_notice";

/// As whom the server writes, and where (`[server_notices]`).
#[derive(Debug, Clone)]
pub struct NoticeOptions {
    /// The name of the account: nobody logs in to it.
    pub localpart: String,
    pub display_name: String,
    pub avatar_url: Option<OwnedMxcUri>,
    pub room_name: String,
}

/// What is to be written.
#[derive(Debug)]
pub struct Notice {
    pub event_type: TimelineEventType,
    /// Present for state events, such as the pinned events of the room.
    pub state_key: Option<String>,
    pub content: Box<RawValue>,
    /// Of the administrator's request; a repetition changes nothing.
    pub transaction: Option<Transaction>,
}

impl Rooms {
    /// Writes to a user of this server, in the one room that there is for it, which is made for the first notice.
    ///
    /// Errors: `NotFound` without such an account, `InviteBlocked`, those of [`Rooms::append`].
    pub async fn send_notice(
        &self,
        accounts: &Accounts,
        user: &UserId,
        notice: Notice,
    ) -> Result<OwnedEventId, RoomError> {
        if !self.is_local(user) || !accounts.user_exists(user).await? {
            return Err(RoomError::NotFound("There is no such user here.".to_owned()));
        }
        let server = self.notice_account(accounts).await?;
        let room = self.notice_room(accounts, &server, user).await?;
        let draft = EventDraft {
            state_key: notice.state_key,
            ..EventDraft::message(&server, notice.event_type, notice.content)
        };
        match notice.transaction {
            Some(transaction) => self.send_once(&room, draft, transaction).await,
            None => Ok(self.append(&room, draft).await?.pdu.event_id.clone()),
        }
    }

    /// Whether this is the room in which the server writes to the user.
    pub async fn is_notice_room(&self, room: &Room, user: UserNumber) -> Result<bool, StorageError> {
        Ok(store::notices::find(self.database(), user).await? == Some(room.number))
    }

    /// Whether what the user has is an invite to the room in which the server writes to them: it cannot be declined.
    pub(crate) async fn is_notice_invite(
        &self,
        room: &Room,
        user: &UserId,
        (membership, event): &(MembershipState, Arc<Event>),
    ) -> Result<bool, StorageError> {
        let inviter = &event.pdu.sender;
        // Somebody else may have that name, if they had it first.
        let may_be = *membership == MembershipState::Invite
            && self.is_local(inviter)
            && inviter.localpart() == self.options().notices.localpart;
        Ok(may_be && self.is_notice_room(room, self.user_number(user).await?).await?)
    }

    async fn notice_account(&self, accounts: &Accounts) -> Result<OwnedUserId, RoomError> {
        let options = &self.options().notices;
        let account = ServiceAccount {
            localpart: &options.localpart,
            display_name: &options.display_name,
            avatar_url: options.avatar_url.as_deref(),
        };
        Ok(accounts.service_account(account).await?)
    }

    /// The room for notices to this user, who is in it or invited.
    async fn notice_room(
        &self,
        accounts: &Accounts,
        server: &UserId,
        user: &UserId,
    ) -> Result<Arc<Room>, RoomError> {
        let number = self.user_number(user).await?;
        let room = {
            // Of two first notices one makes the room and the other finds it. Only administrators wait here.
            let _one_at_a_time = self.0.notice_rooms.lock().await;
            match self.find_notice_room(number).await? {
                Some(room) => room,
                None => self.make_notice_room(accounts, server, (user, number)).await?,
            }
        };
        let membership = self.membership(&room.view().state, user).await?;
        match membership.map(|(membership, _)| membership) {
            Some(MembershipState::Join | MembershipState::Invite) => {}
            _ => self.invite(accounts, &room, (server, user), None).await?,
        }
        accounts
            .set_tag(number, room.number, TAG.to_owned(), json!({}))
            .await?;
        Ok(room)
    }

    async fn find_notice_room(&self, user: UserNumber) -> Result<Option<Arc<Room>>, RoomError> {
        match store::notices::find(self.database(), user).await? {
            Some(number) => Ok(self.load(&[number]).await?.pop()),
            None => Ok(None),
        }
    }

    async fn make_notice_room(
        &self,
        accounts: &Accounts,
        server: &UserId,
        (user, number): (&UserId, UserNumber),
    ) -> Result<Arc<Room>, RoomError> {
        let mut request = Request::new();
        request.preset = Some(RoomPreset::PrivateChat);
        request.name = Some(self.options().notices.room_name.clone());
        request.invite = vec![user.to_owned()];
        // The room is for the server and one person.
        request.power_level_content_override = Some(Raw::from_json(raw(&json!({ "invite": 100 }))?));
        let beside = Beside {
            // The server holds no keys.
            is_encrypted: Some(false),
            also: Some(Box::new(move |change, room| {
                store::notices::put(change, number, room);
            })),
        };
        self.create_described(accounts, server, request, beside).await
    }
}
