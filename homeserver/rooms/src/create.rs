//! Making rooms (CS API § Creation).

mod calls;
mod content;
mod power;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, sync::Arc};

use echorift_accounts::Accounts;
use echorift_events::rules_for;
use echorift_storage::{Change, RoomNumber};
use ruma::{
    OwnedRoomAliasId, OwnedUserId, RoomAliasId, UserId,
    api::client::room::{
        Visibility,
        create_room::v3::{Request, RoomPreset},
    },
    events::{AnyInitialStateEvent, StateEventType, room::member::MembershipState},
    serde::Raw,
};
use serde_json::{json, value::RawValue};

pub(crate) use self::{calls::SLOT_TYPES, power::tombstone_level};
use self::{calls::VOICE_CHANNEL, content::create_content, power::initial_levels};
use crate::{
    EncryptionDefault, EventDraft, PublishPolicy, Room, RoomError, Rooms,
    membership::{MemberContent, raw},
    store,
};

/// How many users can be invited to a room while it is made; the others are invited afterwards.
const INVITES_MAX: usize = 100;
/// How many state events a client can give a room from the start.
const INITIAL_STATE_MAX: usize = 200;

/// What is decided about a new room beside its creator's request.
#[derive(Default)]
pub(crate) struct Beside {
    /// Whether it is encrypted from the start; as the operator has configured it, if `None`.
    pub is_encrypted: Option<bool>,
    /// What is written with the room.
    pub also: Option<Also>,
}

type Also = Box<dyn FnOnce(&mut Change, RoomNumber) + Send>;

impl Rooms {
    /// Makes a room as the request describes it: all of it, alias and directory entry included, or nothing.
    ///
    /// Errors: `UnsupportedVersion`, `AliasTaken`, `BadInitialState` for what the authorisation rules do not allow,
    /// `Forbidden` to who may not publish rooms, `RemoteUser` and `InviteBlocked` for invitees, `BadRequest`.
    pub async fn create_room(
        &self,
        accounts: &Accounts,
        creator: &UserId,
        request: Request,
    ) -> Result<Arc<Room>, RoomError> {
        self.create_described(accounts, creator, request, Beside::default())
            .await
    }

    /// As [`Rooms::create_room`], with what a client cannot ask for.
    pub(crate) async fn create_described(
        &self,
        accounts: &Accounts,
        creator: &UserId,
        request: Request,
        beside: Beside,
    ) -> Result<Arc<Room>, RoomError> {
        let version = request
            .room_version
            .clone()
            .unwrap_or_else(|| self.options().default_version.clone());
        let rules = rules_for(&version).ok_or_else(|| RoomError::UnsupportedVersion(version.clone()))?;
        if !request.invite_3pid.is_empty() {
            return Err(RoomError::Forbidden(
                "There is no identity server here: invite users by their ID.".to_owned(),
            ));
        }
        if request.invite.len() > INVITES_MAX || request.initial_state.len() > INITIAL_STATE_MAX {
            let limits = format!(
                "At most {INVITES_MAX} invites and {INITIAL_STATE_MAX} initial state events are taken."
            );
            return Err(RoomError::BadRequest(limits));
        }
        let is_published = request.visibility == Visibility::Public;
        if is_published {
            self.check_may_publish(accounts, creator).await?;
        }
        let preset = preset_of(&request)?;
        let invitees = self.invitees(accounts, creator, &request.invite).await?;
        let alias = request
            .room_alias_name
            .as_deref()
            .map(|name| self.local_alias(name))
            .transpose()?;
        let claim = match &alias {
            Some(alias) => Some(self.claim_alias(alias).await?),
            None => None,
        };

        // Who is trusted is a creator too, or has a creator's level where that is a number.
        let equals = if preset == RoomPreset::TrustedPrivateChat {
            invitees.as_slice()
        } else {
            &[]
        };
        let create = create_content(
            request.creation_content.as_ref(),
            (creator, equals),
            &version,
            &rules,
        )?;
        let create = EventDraft::state(creator, StateEventType::RoomCreate, "", create);
        let room_type = room_type(&request);
        let is_encrypted = beside
            .is_encrypted
            .unwrap_or_else(|| self.encrypts(&preset, room_type.as_deref()))
            || starts_encrypted(&request);
        let levels = initial_levels(
            (creator, equals),
            &rules,
            request.power_level_content_override.as_ref(),
            is_encrypted && room_type.as_deref() == Some(VOICE_CHANNEL),
        )?;
        let profiles = accounts
            .profiles(&[&[creator.to_owned()], invitees.as_slice()].concat())
            .await?;
        let join = MemberContent::new(MembershipState::Join).with_profile(profiles.get(creator));
        let mut then = vec![
            join.draft(creator, creator)?,
            EventDraft::state(creator, StateEventType::RoomPowerLevels, "", levels),
        ];
        then.extend(described_state(
            creator,
            (room_type.as_deref(), &preset),
            alias.as_deref(),
            is_encrypted,
            &request,
        )?);
        let mut elsewhere = Vec::new();
        for invitee in &invitees {
            let invite = MemberContent::new(MembershipState::Invite)
                .with_profile(profiles.get(invitee))
                .with_direct(request.is_direct);
            match self.is_local(invitee) {
                true => then.push(invite.draft(creator, invitee)?),
                // Their servers are asked once the room is there.
                false => elsewhere.push((invitee.clone(), raw(&invite)?)),
            }
        }

        let creator_number = self.user_number(creator).await?;
        let (room, _) = self
            .create(&version, create, then, is_published, |change, room, room_id| {
                if let Some(alias) = &alias {
                    store::aliases::insert(change, alias, room, creator_number);
                    self.tell_alias_made(alias, room_id);
                }
                if let Some(also) = beside.also {
                    also(change, room);
                }
            })
            .await?;
        drop(claim);
        if !elsewhere.is_empty() {
            self.invite_all_elsewhere(&room, creator, elsewhere).await;
        }
        Ok(room)
    }

    /// Whether the operator wants a room like this encrypted. Spaces hold no messages.
    fn encrypts(&self, preset: &RoomPreset, room_type: Option<&str>) -> bool {
        let is_space = room_type == Some("m.space");
        let is_wanted = match self.options().encryption {
            EncryptionDefault::Off => false,
            EncryptionDefault::Private => *preset != RoomPreset::PublicChat,
            EncryptionDefault::All => true,
        };
        is_wanted && !is_space
    }

    /// Errors: `Forbidden` if the operator does not let this user put rooms into the directory.
    pub(crate) async fn check_may_publish(
        &self,
        accounts: &Accounts,
        user: &UserId,
    ) -> Result<(), RoomError> {
        let may = match self.options().publish {
            PublishPolicy::Everyone => true,
            PublishPolicy::Admins => accounts.is_admin(user).await?,
            PublishPolicy::Nobody => false,
        };
        if may {
            Ok(())
        } else {
            Err(RoomError::Forbidden(
                "You may not put rooms into the directory.".to_owned(),
            ))
        }
    }

    /// The alias of this server with the local part `name`. Errors: `BadRequest`.
    fn local_alias(&self, name: &str) -> Result<OwnedRoomAliasId, RoomError> {
        let refused = || RoomError::BadRequest(format!("{name:?} cannot be the local part of an alias."));
        if name.is_empty()
            || name.contains(|letter: char| letter == ':' || letter.is_whitespace() || letter == '\0')
        {
            return Err(refused());
        }
        RoomAliasId::parse(format!("#{name}:{}", self.server_name())).map_err(|_| refused())
    }

    /// Whom the creator invites, each once.
    async fn invitees(
        &self,
        accounts: &Accounts,
        creator: &UserId,
        wanted: &[OwnedUserId],
    ) -> Result<Vec<OwnedUserId>, RoomError> {
        let mut seen = HashSet::from([creator]);
        let mut invitees = Vec::with_capacity(wanted.len());
        for invitee in wanted {
            if seen.insert(invitee) {
                self.check_invitee(accounts, None, invitee).await?;
                invitees.push(invitee.clone());
            }
        }
        Ok(invitees)
    }
}

/// What the room is for, as its creator says (CS API § Types).
fn room_type(request: &Request) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Creation {
        #[serde(rename = "type")]
        room_type: Option<String>,
    }
    let creation = request.creation_content.as_ref()?;
    let creation: Creation = serde_json::from_str(creation.json().get()).ok()?;
    creation.room_type
}

/// Whether the creator encrypts the room from the start.
fn starts_encrypted(request: &Request) -> bool {
    let mut initial_state = request.initial_state.iter();
    initial_state.any(|initial| {
        let event_type = initial.get_field::<String>("type").ok().flatten();
        event_type.as_deref() == Some("m.room.encryption")
    })
}

fn preset_of(request: &Request) -> Result<RoomPreset, RoomError> {
    match &request.preset {
        Some(
            preset @ (RoomPreset::PrivateChat | RoomPreset::PublicChat | RoomPreset::TrustedPrivateChat),
        ) => Ok(preset.clone()),
        Some(unknown) => Err(RoomError::BadRequest(format!(
            "There is no preset {:?}.",
            unknown.as_str()
        ))),
        None if request.visibility == Visibility::Public => Ok(RoomPreset::PublicChat),
        None => Ok(RoomPreset::PrivateChat),
    }
}

/// The state events that describe the room, in the order that the specification gives: canonical alias, preset, initial
/// state, name, topic. What a later one would replace at once is left out.
fn described_state(
    creator: &UserId,
    (room_type, preset): (Option<&str>, &RoomPreset),
    alias: Option<&RoomAliasId>,
    is_encrypted: bool,
    request: &Request,
) -> Result<Vec<EventDraft>, RoomError> {
    let event = |event_type: StateEventType, content: serde_json::Value| {
        Ok::<_, RoomError>(EventDraft::state(creator, event_type, "", raw(&content)?))
    };
    let is_public = *preset == RoomPreset::PublicChat;
    let mut events = Vec::new();
    if let Some(alias) = alias {
        events.push(event(
            StateEventType::RoomCanonicalAlias,
            json!({ "alias": alias }),
        )?);
    }
    let join_rule = if is_public { "public" } else { "invite" };
    events.push(event(
        StateEventType::RoomJoinRules,
        json!({ "join_rule": join_rule }),
    )?);
    events.push(event(
        StateEventType::RoomHistoryVisibility,
        json!({ "history_visibility": "shared" }),
    )?);
    let guest_access = if is_public { "forbidden" } else { "can_join" };
    events.push(event(
        StateEventType::RoomGuestAccess,
        json!({ "guest_access": guest_access }),
    )?);
    if is_encrypted {
        events.push(event(
            StateEventType::RoomEncryption,
            json!({ "algorithm": "m.megolm.v1.aes-sha2" }),
        )?);
    }
    let initial_state = request
        .initial_state
        .iter()
        .map(|initial| initial_state_event(creator, initial))
        .collect::<Result<Vec<_>, _>>()?;
    if !initial_state.iter().any(calls::is_slot) {
        events.extend(calls::open_slot(creator, (room_type, preset), is_encrypted)?);
    }
    events.extend(initial_state);
    if let Some(name) = &request.name {
        events.push(event(StateEventType::RoomName, json!({ "name": name }))?);
    }
    if let Some(topic) = &request.topic {
        let content =
            json!({ "topic": topic, "m.topic": { "m.text": [{ "body": topic, "mimetype": "text/plain" }] } });
        events.push(event(StateEventType::RoomTopic, content)?);
    }
    let place = |event: &EventDraft| (event.event_type.to_string(), event.state_key.clone());
    let mut replaced_later = HashSet::new();
    let mut kept: Vec<EventDraft> = events
        .into_iter()
        .rev()
        .filter(|event| replaced_later.insert(place(event)))
        .collect();
    kept.reverse();
    Ok(kept)
}

fn initial_state_event(
    creator: &UserId,
    initial: &Raw<AnyInitialStateEvent>,
) -> Result<EventDraft, RoomError> {
    #[derive(serde::Deserialize)]
    struct Initial {
        #[serde(rename = "type")]
        event_type: StateEventType,
        #[serde(default)]
        state_key: String,
        content: Box<RawValue>,
    }
    let initial: Initial = serde_json::from_str(initial.json().get())
        .map_err(|error| RoomError::BadRequest(format!("An initial state event does not fit: {error}.")))?;
    if initial.event_type == StateEventType::RoomCreate {
        return Err(RoomError::BadInitialState(
            "a room has one create event".to_owned(),
        ));
    }
    Ok(EventDraft::state(
        creator,
        initial.event_type,
        &initial.state_key,
        initial.content,
    ))
}
