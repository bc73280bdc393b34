//! The pushers of all users: in the database, and in memory for whoever reads the log.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use echorift_accounts::Accounts;
use echorift_mail::Address;
use echorift_storage::{Database, Position, StorageError, UserNumber};
use imbl::OrdSet;
use parking_lot::{Mutex, RwLock};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    error::PushError,
    pusher::{Channel, Pusher, PusherKey},
    store::{
        self,
        pushers::{FORMAT_ID_ONLY, Put},
    },
    web_push::{AckToken, KINDS, Subscription},
};

/// How many pushers a user may have: a handful of devices each, with room for forgotten ones.
const PUSHERS_MAX: i64 = 100;
/// CS API § `POST /pushers/set`.
const PUSHKEY_BYTES_MAX: usize = 512;
const APP_ID_CHARACTERS_MAX: usize = 64;
/// Names and languages are shown and stored as they are.
const TEXT_BYTES_MAX: usize = 1024;
/// What a client may have forwarded to its gateway with every notification.
const DATA_BYTES_MAX: usize = 16 * 1024;
/// CS API § `POST /pushers/set`: the gateway's path is fixed.
const GATEWAY_PATH: &str = "/_matrix/push/v1/notify";

/// What a client asks for.
#[derive(Debug)]
pub(crate) struct PusherRequest {
    pub kind: String,
    pub app_id: String,
    pub pushkey: String,
    pub app_display_name: String,
    pub device_display_name: String,
    pub profile_tag: Option<String>,
    pub lang: String,
    pub data: Map<String, Value>,
    /// As it was, if `None`; on for a new one (MSC3881).
    pub is_enabled: Option<bool>,
    pub append: bool,
}

/// All pushers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pushers(Arc<Inner>);

struct Inner {
    database: Database,
    accounts: Accounts,
    allows_http: bool,
    /// Some hundred bytes each. A pusher that went with its device is found out when it is next used.
    by_user: RwLock<HashMap<UserNumber, Vec<Arc<Pusher>>>>,
}

impl Pushers {
    pub async fn load(
        database: &Database,
        accounts: &Accounts,
        allows_http: bool,
    ) -> Result<Self, StorageError> {
        let mut by_user: HashMap<UserNumber, Vec<Arc<Pusher>>> = HashMap::new();
        for pusher in store::pushers::all(database).await? {
            by_user.entry(pusher.key.user).or_default().push(Arc::new(pusher));
        }
        Ok(Self(Arc::new(Inner {
            database: database.clone(),
            accounts: accounts.clone(),
            allows_http,
            by_user: RwLock::new(by_user),
        })))
    }

    /// The pushers of a user, as the database has them.
    pub async fn list(&self, user: UserNumber) -> Result<Vec<Pusher>, StorageError> {
        store::pushers::of_user(&self.0.database, user).await
    }

    /// Makes or changes a pusher of the session's user. If it is a subscription that is new, or was not activated yet, it
    /// is given back with the token that it is to be told.
    ///
    /// Errors: `Invalid`, `MissingUrl`, `NotOwnAddress`, `TooMany`, `NoDevice`.
    pub async fn set(
        &self,
        (user, device_id): (UserNumber, &str),
        request: PusherRequest,
    ) -> Result<Option<(Arc<Pusher>, AckToken)>, PushError> {
        let key = PusherKey {
            user,
            app_id: request.app_id.as_str().into(),
            pushkey: request.pushkey.as_str().into(),
        };
        let channel = self.judge(user, &request).await?;
        let before = self.find(&key);
        let is_enabled = before.as_ref().is_none_or(|before| before.is_enabled);
        let delivered = match &before {
            Some(before) => before.delivered(),
            None => self.0.database.log().visible(),
        };
        let now = self.0.accounts.clock().now();
        let is_activated = is_activated(&channel, before.as_deref());
        let ack = (!is_activated).then(|| AckToken::new(now));
        let mut pusher = Pusher {
            key,
            device_id: (!matches!(channel, Channel::Email(_))).then(|| device_id.to_owned()),
            channel,
            app_display_name: request.app_display_name,
            device_display_name: request.device_display_name,
            profile_tag: request.profile_tag,
            lang: request.lang,
            data: request.data,
            is_enabled: request.is_enabled.unwrap_or(is_enabled),
            is_activated: AtomicBool::new(is_activated),
            set: now,
            delivered: AtomicI64::new(delivered.0),
            letters: Mutex::new(
                before
                    .as_ref()
                    .map(|before| *before.letters.lock())
                    .unwrap_or_default(),
            ),
        };
        // Who only switches another device's pusher on or off does not take it over.
        if let Some(before) = before.filter(|before| before.is_same_but_for_enabled(&pusher)) {
            pusher.device_id.clone_from(&before.device_id);
        }
        let pusher = Arc::new(pusher);
        let (stored, append) = (Arc::clone(&pusher), request.append);
        let put = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let put = store::pushers::put(tx, (&stored, ack.as_ref()), append, PUSHERS_MAX);
                Ok((put.await?, ack))
            })
        });
        let (put, ack) = put.await.map_err(PushError::Storage)?;
        match put {
            Put::TooMany => return Err(PushError::TooMany),
            Put::NoDevice => return Err(PushError::NoDevice),
            Put::Done(robbed) => {
                for user in robbed {
                    self.forget(&PusherKey {
                        user,
                        ..pusher.key.clone()
                    });
                }
            }
        }
        self.forget(&pusher.key);
        self.0
            .by_user
            .write()
            .entry(user)
            .or_default()
            .push(Arc::clone(&pusher));
        Ok(ack.map(|ack| (pusher, ack)))
    }

    /// A subscription's client has shown that it gets what is sent: it is told of what comes after `from`.
    pub fn activated(&self, user: UserNumber, app_id: &str, pushkey: &str, from: Position) {
        let key = PusherKey {
            user,
            app_id: app_id.into(),
            pushkey: pushkey.into(),
        };
        let pusher = self.find(&key).filter(|pusher| !pusher.is_told());
        if let Some(pusher) = pusher {
            pusher.deliver_up_to(from);
            pusher.is_activated.store(true, Ordering::Release);
        }
    }

    /// Deletes a pusher, if there is such a one.
    pub async fn remove(&self, key: PusherKey) -> Result<(), StorageError> {
        self.forget(&key);
        let removed = self
            .0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { store::pushers::remove(tx, &key).await }));
        removed.await
    }

    async fn judge(&self, user: UserNumber, request: &PusherRequest) -> Result<Channel, PushError> {
        let too_long = [
            &request.app_display_name,
            &request.device_display_name,
            &request.lang,
            request.profile_tag.as_ref().unwrap_or(&request.lang),
        ];
        if request.pushkey.is_empty() || request.pushkey.len() > PUSHKEY_BYTES_MAX {
            return Err(PushError::Invalid(
                "`pushkey` is to have between 1 and 512 bytes.",
            ));
        }
        if request.app_id.is_empty() || request.app_id.chars().count() > APP_ID_CHARACTERS_MAX {
            return Err(PushError::Invalid(
                "`app_id` is to have between 1 and 64 characters.",
            ));
        }
        if too_long.iter().any(|text| text.len() > TEXT_BYTES_MAX) {
            return Err(PushError::Invalid(
                "The names and the language are to be shorter.",
            ));
        }
        if Value::Object(request.data.clone()).to_string().len() > DATA_BYTES_MAX {
            return Err(PushError::Invalid("`data` is larger than 16 KiB."));
        }
        match request.kind.as_str() {
            "http" => self.judge_gateway(&request.data),
            "email" => {
                if request.app_id != "m.email" {
                    return Err(PushError::Invalid("`app_id` of e-mail pushers is \"m.email\"."));
                }
                if self.0.accounts.mailer().is_none() {
                    return Err(PushError::Invalid("This server sends no mail."));
                }
                let address = Address::parse(&request.pushkey).filter(|own| own.as_str() == request.pushkey);
                let address = address.ok_or(PushError::NotOwnAddress)?;
                if self.0.accounts.has_email(user, &address).await? {
                    Ok(Channel::Email(address))
                } else {
                    Err(PushError::NotOwnAddress)
                }
            }
            other => match KINDS.into_iter().find(|kind| *kind == other) {
                Some(kind) => self.judge_subscription(kind, request),
                None => Err(PushError::Invalid(
                    "`kind` is \"http\", \"email\", \"webpush\" or null.",
                )),
            },
        }
    }

    fn judge_gateway(&self, data: &Map<String, Value>) -> Result<Channel, PushError> {
        let url = self.judge_url(data)?;
        if url.path() != GATEWAY_PATH {
            return Err(PushError::Invalid(
                "The path of `data.url` is /_matrix/push/v1/notify.",
            ));
        }
        Ok(Channel::Http {
            url,
            is_id_only: is_id_only(data),
        })
    }

    fn judge_subscription(&self, kind: &'static str, request: &PusherRequest) -> Result<Channel, PushError> {
        let url = self.judge_url(&request.data)?;
        let (pushkey, data) = (&request.pushkey, &request.data);
        let subscription = Subscription::parse(kind, url, pushkey, data, is_id_only(data));
        Ok(Channel::WebPush(Box::new(
            subscription.map_err(PushError::Invalid)?,
        )))
    }

    /// Where pushes go: a URL with TLS, unless the operator lets others pass.
    fn judge_url(&self, data: &Map<String, Value>) -> Result<Url, PushError> {
        let url = match data.get("url") {
            None | Some(Value::Null) => return Err(PushError::MissingUrl),
            Some(url) => url.as_str().and_then(|url| Url::parse(url).ok()),
        };
        let url = url.ok_or(PushError::Invalid("`data.url` is not a URL."))?;
        let is_allowed = url.scheme() == "https" || (url.scheme() == "http" && self.0.allows_http);
        if !is_allowed || !url.has_host() || !url.username().is_empty() || url.password().is_some() {
            return Err(PushError::Invalid("`data.url` is to be an https URL."));
        }
        Ok(url)
    }

    /// A pusher, as far as is known here.
    pub fn find(&self, key: &PusherKey) -> Option<Arc<Pusher>> {
        let by_user = self.0.by_user.read();
        by_user
            .get(&key.user)?
            .iter()
            .find(|pusher| pusher.key == *key)
            .cloned()
    }

    /// Makes sure of a pusher before it is used: one whose device is gone is forgotten.
    pub async fn confirm(&self, key: &PusherKey) -> Result<Option<Arc<Pusher>>, StorageError> {
        let Some(pusher) = self.find(key) else {
            return Ok(None);
        };
        if store::pushers::exists(&self.0.database, key).await? {
            return Ok(Some(pusher));
        }
        self.forget(key);
        Ok(None)
    }

    pub fn of(&self, user: UserNumber) -> Vec<Arc<Pusher>> {
        self.0.by_user.read().get(&user).cloned().unwrap_or_default()
    }

    pub fn has_any(&self) -> bool {
        !self.0.by_user.read().is_empty()
    }

    pub fn has(&self, user: UserNumber) -> bool {
        self.0.by_user.read().contains_key(&user)
    }

    /// Those of `members` who have a pusher. Costs as much as the smaller of the two.
    pub fn users_among(&self, members: &OrdSet<UserNumber>) -> Vec<UserNumber> {
        let by_user = self.0.by_user.read();
        if by_user.len() < members.len() {
            by_user
                .keys()
                .copied()
                .filter(|user| members.contains(user))
                .collect()
        } else {
            members
                .iter()
                .copied()
                .filter(|user| by_user.contains_key(user))
                .collect()
        }
    }

    /// Every e-mail pusher with a letter to be looked at.
    pub fn with_letters_due(&self) -> Vec<Arc<Pusher>> {
        let by_user = self.0.by_user.read();
        let due = by_user
            .values()
            .flatten()
            .filter(|pusher| pusher.letters.lock().due.is_some());
        due.cloned().collect()
    }

    fn forget(&self, key: &PusherKey) {
        let mut by_user = self.0.by_user.write();
        if let Some(pushers) = by_user.get_mut(&key.user) {
            pushers.retain(|pusher| pusher.key != *key);
            if pushers.is_empty() {
                by_user.remove(&key.user);
            }
        }
    }
}

fn is_id_only(data: &Map<String, Value>) -> bool {
    data.get("format").and_then(Value::as_str) == Some(FORMAT_ID_ONLY)
}

/// A subscription is told of events once its client has shown that it gets them, and stays so until its address or
/// secret changes (MSC4174 § Changes to `/pushers/set`).
fn is_activated(channel: &Channel, before: Option<&Pusher>) -> bool {
    let Channel::WebPush(subscription) = channel else {
        return true;
    };
    before.is_some_and(|before| match &before.channel {
        Channel::WebPush(known) => {
            (&known.url, known.auth) == (&subscription.url, subscription.auth)
                && before.is_activated.load(Ordering::Acquire)
        }
        _ => false,
    })
}
