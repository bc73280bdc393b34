//! Making, changing and ending hooks.

use std::sync::Arc;

use echorift_accounts::ServiceAccount;
use echorift_rooms::{JoinRequest, Room, RoomError};
use echorift_storage::{Change, UserNumber};
use echorift_web::{Session, outbound::Redirects};
use http::Method;
use ruma::{OwnedMxcUri, OwnedUserId, RoomId, UserId, events::room::member::MembershipState};
use url::Url;

use crate::{
    Hook, HookError, Webhooks,
    hook::{Disabled, Incoming, Key, Kind, Lock, Outgoing, Progress},
    outgoing::Delivered,
    secret, store,
};

/// By the power to set this, which room settings of many clients know as *manage widgets*, people manage hooks. Where a room says
/// nothing of it, it is the power for state.
const POWER_OF: &str = "im.vector.modular.widgets";
const NAME_BYTES_MAX: usize = 200;
const URL_BYTES_MAX: usize = 2_000;
/// How many types and keywords an outgoing hook names.
const FILTER_MAX: usize = 50;
const FILTER_BYTES_MAX: usize = 255;

/// What a hook is to be, before it is one.
#[derive(Debug, Clone)]
pub(crate) struct NewHook {
    pub(crate) name: String,
    pub(crate) avatar_url: Option<OwnedMxcUri>,
    pub(crate) kind: NewKind,
}

#[derive(Debug, Clone)]
pub(crate) enum NewKind {
    Incoming { settings: Incoming, is_signed: bool },
    Outgoing(Outgoing),
}

/// What is to change; what is left out stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct HookChange {
    pub(crate) name: Option<String>,
    /// An empty one takes the picture away.
    pub(crate) avatar_url: Option<OwnedMxcUri>,
    pub(crate) is_enabled: Option<bool>,
    pub(crate) allow_name_override: Option<bool>,
    pub(crate) url: Option<String>,
    pub(crate) event_types: Option<Vec<String>>,
    pub(crate) keywords: Option<Vec<String>>,
    pub(crate) allow_replies: Option<bool>,
}

/// A hook with its secret, which is shown this once: part of the address, or the key of signatures.
#[derive(Debug)]
pub(crate) struct Revealed {
    pub(crate) hook: Arc<Hook>,
    pub(crate) secret: String,
}

impl Webhooks {
    /// The room, if this user may manage its hooks. Administrators of the server may everywhere.
    ///
    /// Errors: `NotAllowed`, `Room` for unknown ones.
    pub(crate) async fn managed_room(
        &self,
        session: &Session,
        room: &RoomId,
    ) -> Result<Arc<Room>, HookError> {
        let room = self.0.rooms.room(room).await?;
        if session.is_admin {
            return Ok(room);
        }
        if self.0.accounts.is_suspended(UserNumber(session.user_number)) {
            return Err(HookError::NotAllowed);
        }
        self.0.rooms.check_joined(&room, &session.user_id).await?;
        let (levels, _) = self.0.rooms.power_levels(&room, &room.view().state).await?;
        if levels.can_send_state(&session.user_id, POWER_OF) {
            Ok(room)
        } else {
            Err(HookError::NotAllowed)
        }
    }

    /// The hooks of a room, by age.
    pub(crate) fn hooks_of(&self, room: &Room) -> Vec<Arc<Hook>> {
        self.0.registry.of_room(room.number)
    }

    /// All hooks of this server, by age.
    pub fn hooks(&self) -> Vec<Arc<Hook>> {
        self.0.registry.all()
    }

    /// Errors: `Unknown`.
    pub fn hook(&self, id: &str) -> Result<Arc<Hook>, HookError> {
        self.0.registry.find(id).ok_or(HookError::Unknown)
    }

    /// Makes a hook with an account of its own, which `maker` brings into the room.
    ///
    /// Errors: `Invalid`, `TooMany`, `Encrypted`, `Room` where the maker may not invite the account.
    pub(crate) async fn make(
        &self,
        room: &Arc<Room>,
        maker: &UserId,
        new: NewHook,
        remember: Change,
    ) -> Result<Revealed, HookError> {
        judge_name(&new.name)?;
        if let NewKind::Outgoing(settings) = &new.kind {
            self.judge_outgoing(settings)?;
        } else if room.view().state.get("m.room.encryption", "").is_some() {
            return Err(HookError::Encrypted);
        }
        let _one_at_a_time = self.0.managing.lock().await;
        let others = self.0.registry.of_room(room.number).len();
        let limit = self.0.options.per_room_max;
        if u32::try_from(others).unwrap_or(u32::MAX) >= limit {
            return Err(HookError::TooMany(limit));
        }
        let id = secret::random_id();
        let localpart = format!("hook-{id}");
        let account = ServiceAccount {
            localpart: &localpart,
            display_name: &new.name,
            avatar_url: new.avatar_url.as_deref(),
        };
        let user_id = self.0.accounts.service_account(account).await?;
        if let Err(error) = self.bring_in(room, maker, &user_id).await {
            self.end_account(&user_id, Change::new()).await?;
            return Err(error);
        }
        let (kind, secret) = locked(new.kind);
        let visible = self.database().log().visible();
        let hook = Arc::new(Hook {
            room: room.number,
            user: self.0.rooms.user_number(&user_id).await?,
            user_id,
            name: new.name,
            avatar_url: new.avatar_url,
            created_by: maker.to_string(),
            created: self.0.rooms.clock().now(),
            kind,
            disabled: None,
            progress: Arc::new(Progress::new(visible, None)),
            id,
        });
        self.keep(&hook, remember).await?;
        if hook.is_outgoing() {
            self.deliver_of(&hook);
        }
        Ok(Revealed { hook, secret })
    }

    /// Makes the account a member: by the room's own rules, or by an invite of the maker.
    async fn bring_in(
        &self,
        room: &Arc<Room>,
        maker: &UserId,
        account: &OwnedUserId,
    ) -> Result<(), HookError> {
        let (rooms, accounts) = (&self.0.rooms, &self.0.accounts);
        let joined = rooms.join(accounts, room, account, JoinRequest::default()).await;
        match joined {
            Ok(()) => return Ok(()),
            Err(RoomError::Storage(error)) => return Err(error.into()),
            // Whatever it lacks, an invite replaces.
            Err(_) => {}
        }
        rooms.invite(accounts, room, (maker, account), None).await?;
        rooms
            .join(accounts, room, account, JoinRequest::default())
            .await?;
        Ok(())
    }

    /// Changes a hook. One that is turned on again hears what is said from then on.
    ///
    /// Errors: `Unknown`, `Invalid`.
    pub(crate) async fn change(
        &self,
        id: &str,
        wanted: HookChange,
        remember: Change,
    ) -> Result<Arc<Hook>, HookError> {
        let _one_at_a_time = self.0.managing.lock().await;
        let before = self.hook(id)?;
        let mut hook = Hook::clone(&before);
        if let Some(name) = wanted.name {
            judge_name(&name)?;
            hook.name = name;
        }
        if let Some(avatar) = wanted.avatar_url {
            hook.avatar_url = Some(avatar).filter(|avatar| !avatar.as_str().is_empty());
        }
        match &mut hook.kind {
            Kind::Incoming(settings, _) => {
                settings.allow_name_override =
                    wanted.allow_name_override.unwrap_or(settings.allow_name_override);
            }
            Kind::Outgoing(settings, _) => {
                settings.url = wanted.url.unwrap_or_else(|| settings.url.clone());
                settings.event_types = wanted.event_types.unwrap_or_else(|| settings.event_types.clone());
                settings.keywords = wanted.keywords.unwrap_or_else(|| settings.keywords.clone());
                settings.allow_replies = wanted.allow_replies.unwrap_or(settings.allow_replies);
                let settings = settings.clone();
                self.judge_outgoing(&settings)?;
            }
        }
        match wanted.is_enabled {
            Some(true) if hook.disabled.take().is_some() => {
                hook.progress.set_failing(None);
                hook.progress.advance(self.database().log().visible());
                if hook.is_outgoing() {
                    self.return_to_room(&hook).await?;
                }
            }
            Some(false) => {
                hook.disabled.get_or_insert_with(|| Disabled {
                    at: self.0.rooms.clock().now(),
                    why: "Somebody who manages it has turned it off.".to_owned(),
                });
            }
            _ => {}
        }
        if hook.name != before.name || hook.avatar_url != before.avatar_url {
            let account = ServiceAccount {
                localpart: hook.user_id.localpart(),
                display_name: &hook.name,
                avatar_url: hook.avatar_url.as_deref(),
            };
            self.0.accounts.service_account(account).await?;
        }
        let hook = Arc::new(hook);
        self.keep(&hook, remember).await?;
        Ok(hook)
    }

    /// An outgoing hook hears nothing while its account is outside. Error: `Invalid` if it is.
    async fn return_to_room(&self, hook: &Hook) -> Result<(), HookError> {
        let room = self.room_of(hook).await?;
        let membership = self.0.rooms.membership(&room.view().state, &hook.user_id).await?;
        match membership {
            Some((MembershipState::Join, _)) => Ok(()),
            _ => {
                let joined =
                    self.0
                        .rooms
                        .join(&self.0.accounts, &room, &hook.user_id, JoinRequest::default());
                joined.await.map_err(|_| {
                    HookError::Invalid(format!(
                        "{} is not in the room any more: invite it, and try again.",
                        hook.user_id
                    ))
                })
            }
        }
    }

    /// Gives a hook a new secret; the one before is good for nothing from then on. Error: `Unknown`.
    pub(crate) async fn rotate(&self, id: &str, remember: Change) -> Result<Revealed, HookError> {
        let _one_at_a_time = self.0.managing.lock().await;
        let before = self.hook(id)?;
        let mut hook = Hook::clone(&before);
        let secret = secret::random_secret();
        match &mut hook.kind {
            Kind::Incoming(_, Lock::Secret(hash)) => *hash = secret::hash(&secret),
            Kind::Incoming(_, Lock::Signature(key)) | Kind::Outgoing(_, key) => *key = Key(secret.clone()),
        }
        let hook = Arc::new(hook);
        self.keep(&hook, remember).await?;
        Ok(Revealed { hook, secret })
    }

    /// Turns a hook off for a reason that people see. Error: `Storage`.
    pub(crate) async fn turn_off(&self, id: &str, why: &str) -> Result<(), HookError> {
        let _one_at_a_time = self.0.managing.lock().await;
        let Some(before) = self.0.registry.find(id) else {
            return Ok(());
        };
        let mut hook = Hook::clone(&before);
        hook.disabled = Some(Disabled {
            at: self.0.rooms.clock().now(),
            why: why.to_owned(),
        });
        self.keep(&Arc::new(hook), Change::new()).await
    }

    /// Turns a hook on or off. `remember` is written with it. Errors: `Unknown`, `Invalid`.
    pub async fn set_enabled(
        &self,
        id: &str,
        is_enabled: bool,
        remember: Change,
    ) -> Result<Arc<Hook>, HookError> {
        let wanted = HookChange {
            is_enabled: Some(is_enabled),
            ..HookChange::default()
        };
        self.change(id, wanted, remember).await
    }

    /// Deletes a hook; its account leaves the room and ends. `remember` is written with it. Error: `Unknown`.
    pub async fn delete(&self, id: &str, remember: Change) -> Result<(), HookError> {
        let _one_at_a_time = self.0.managing.lock().await;
        let hook = self.hook(id)?;
        let mut change = remember;
        store::hooks::delete(&mut change, &hook.id);
        self.database().writer().commit(change).await?;
        self.0.registry.remove(&hook);
        self.end_account(&hook.user_id, Change::new()).await
    }

    /// Sends something by the hook, so that people see whether it works. Errors: as for what it does.
    pub(crate) async fn test(&self, hook: &Hook) -> Result<Delivered, HookError> {
        if hook.is_outgoing() {
            return Ok(self.deliver_test(hook).await);
        }
        let message = crate::message::Composed::plain("A test of this webhook.")?;
        self.write(hook, message.content(None)).await?;
        Ok(Delivered::Taken)
    }

    async fn keep(&self, hook: &Arc<Hook>, remember: Change) -> Result<(), HookError> {
        let mut change = remember;
        store::hooks::put(&mut change, hook)?;
        self.database().writer().commit(change).await?;
        self.0.registry.put(hook);
        Ok(())
    }

    async fn end_account(&self, user: &UserId, remember: Change) -> Result<(), HookError> {
        Ok(self.0.accounts.end_account(user, false, remember).await?)
    }

    fn judge_outgoing(&self, settings: &Outgoing) -> Result<(), HookError> {
        let invalid = |reason: &str| Err(HookError::Invalid(reason.to_owned()));
        if settings.url.len() > URL_BYTES_MAX {
            return invalid("The address is longer than 2,000 bytes.");
        }
        let Ok(url) = Url::parse(&settings.url) else {
            return invalid("`url` is not an address.");
        };
        if url.scheme() != "https" && !self.0.options.allow_http {
            return invalid("Targets of this server's webhooks have addresses that begin with https.");
        }
        if let Err(error) = self.0.outbound.request(Method::POST, url, Redirects::Never) {
            return Err(HookError::Invalid(format!(
                "This target cannot be asked: {error}."
            )));
        }
        if settings.event_types.is_empty() {
            return invalid("`event_types` names no type: `*` stands for all.");
        }
        let lists = [&settings.event_types, &settings.keywords];
        let is_long = |list: &&Vec<String>| list.len() > FILTER_MAX;
        let is_odd = |text: &String| text.trim().is_empty() || text.len() > FILTER_BYTES_MAX;
        if lists.iter().any(is_long) || lists.into_iter().flatten().any(is_odd) {
            return invalid("`event_types` and `keywords` hold 50 texts each at most, of 1 to 255 bytes.");
        }
        Ok(())
    }
}

fn judge_name(name: &str) -> Result<(), HookError> {
    if name.trim().is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(HookError::Invalid(
            "A webhook has a name of 1 to 200 bytes.".to_owned(),
        ));
    }
    Ok(())
}

/// The kind with a new secret, and that.
fn locked(kind: NewKind) -> (Kind, String) {
    let secret = secret::random_secret();
    let kind = match kind {
        NewKind::Incoming {
            settings,
            is_signed: false,
        } => Kind::Incoming(settings, Lock::Secret(secret::hash(&secret))),
        NewKind::Incoming { settings, .. } => Kind::Incoming(settings, Lock::Signature(Key(secret.clone()))),
        NewKind::Outgoing(settings) => Kind::Outgoing(settings, Key(secret.clone())),
    };
    (kind, secret)
}
