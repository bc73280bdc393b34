//! Application services, as far as accounts and tokens look at them (AS API § Client-Server API Extensions).

use std::sync::Arc;

use echorift_storage::{Change, UserNumber};
use echorift_web::{Assertion, BoxFuture, MatrixError, ServiceSession, Session};
use http::StatusCode;
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};

use crate::{
    AccountError, Accounts,
    sessions::{DEVICE_ID_BYTES_MAX, DEVICE_NAME_BYTES_MAX, limit},
    store::{
        self,
        accounts::{Account, NewAccount},
    },
    username::{judge_service_localpart, localpart_as_typed},
};

/// What the registered services are asked for; `appservices` implements it.
///
/// This is the joint between tokens and services: accounts know which users and devices there are, services know who may
/// act as whom, and whoever verifies a token needs both.
pub trait ApplicationServices: Send + Sync {
    /// The service whose `as_token` this is, compared in constant time.
    fn of_token(&self, token: &str) -> Option<Arc<dyn ApplicationService>>;

    /// Whether only a service may make this user.
    fn is_exclusive(&self, user: &UserId) -> bool;

    /// Asks the service in whose namespace an unknown user is whether there is such a user, whom it makes meanwhile.
    fn query_user<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, bool>;
}

/// One registered service.
pub trait ApplicationService: Send + Sync {
    fn id(&self) -> &Arc<str>;

    /// As whom it acts if it says nothing else.
    fn sender(&self) -> &UserId;

    fn is_rate_limited(&self) -> bool;

    /// Whether it may act as this user.
    fn may_be(&self, user: &UserId) -> bool;
}

/// Who made accounts that no password opens, in `accounts.provider`.
fn provider_of(service: &dyn ApplicationService) -> String {
    format!("appservice:{}", service.id())
}

impl Accounts {
    /// Names the registered services; only the first call counts.
    pub fn serve_applications(&self, services: Arc<dyn ApplicationServices>) {
        let _ = self.0.services.set(services);
    }

    /// The service whose token this is.
    pub(crate) fn service_of_token(&self, token: &str) -> Option<Arc<dyn ApplicationService>> {
        self.0.services.get()?.of_token(token)
    }

    /// Errors: `Exclusive` for names that belong to an application service.
    pub(crate) fn check_not_exclusive(&self, user: &UserId) -> Result<(), AccountError> {
        match self.0.services.get() {
            Some(services) if services.is_exclusive(user) => Err(AccountError::Exclusive),
            _ => Ok(()),
        }
    }

    /// Has the application service make a user of its namespace whom nobody knows yet (AS API § Querying). Whether there
    /// is an account afterwards.
    pub async fn ask_services_for(&self, user: &UserId) -> Result<bool, AccountError> {
        let Some(services) = self.0.services.get().filter(|_| self.is_local(user)) else {
            return Ok(false);
        };
        if self.find_account(user).await?.is_some() || !services.query_user(user).await {
            return Ok(false);
        }
        self.user_exists(user).await
    }

    /// The session of a request with a service's token (AS API § Identity assertion).
    pub(crate) async fn assert_identity(
        &self,
        service: &dyn ApplicationService,
        assertion: Assertion<'_>,
        even_locked: bool,
    ) -> Result<Session, MatrixError> {
        let user_id = match assertion.user_id() {
            None => service.sender().to_owned(),
            Some(text) => {
                UserId::parse(text).map_err(|_| MatrixError::invalid_param("`user_id` is no user ID."))?
            }
        };
        if !service.may_be(&user_id) {
            return Err(MatrixError::forbidden(
                "This user is in none of the application service's namespaces.",
            ));
        }
        let account = self.find_account(&user_id).await?;
        let account = account.filter(|account| !account.is_deactivated);
        let account = account
            .ok_or_else(|| MatrixError::forbidden("The application service has not registered this user."))?;
        let mark = self.0.marks.of(account.number.0);
        if mark.is_locked && !even_locked {
            return Err(AccountError::Locked.into());
        }
        let device_id = match assertion.device_id() {
            None => OwnedDeviceId::from(""),
            Some(device_id) => self.asserted_device(account.number, device_id).await?,
        };
        Ok(Session {
            user_id,
            user_number: account.number.0,
            device_id,
            session_number: account.number.0.saturating_neg(),
            is_admin: mark.is_admin,
            is_guest: mark.is_guest,
            service: Some(ServiceSession {
                id: Arc::clone(service.id()),
                is_rate_limited: service.is_rate_limited(),
            }),
            scopes: None,
        })
    }

    async fn asserted_device(
        &self,
        user: UserNumber,
        device_id: String,
    ) -> Result<OwnedDeviceId, MatrixError> {
        let device = store::devices::find(&self.0.database, user, &device_id).await;
        match device.map_err(AccountError::from)? {
            Some(_) => Ok(device_id.into()),
            None => Err(MatrixError::new(
                StatusCode::BAD_REQUEST,
                "M_UNKNOWN_DEVICE",
                "The user has no such device.",
            )),
        }
    }

    /// The user that a service names when it registers or logs in. Errors: `InvalidUsername`, `Exclusive`.
    pub(crate) fn service_user(
        &self,
        service: &dyn ApplicationService,
        typed: &str,
    ) -> Result<OwnedUserId, AccountError> {
        let localpart = localpart_as_typed(typed, self.server_name())
            .ok_or(AccountError::InvalidUsername("This is a name of another server."))?;
        let user_id = judge_service_localpart(localpart, self.server_name())?;
        if service.may_be(&user_id) {
            Ok(user_id)
        } else {
            Err(AccountError::Exclusive)
        }
    }

    /// Makes an account in a service's namespace. Errors: `UserInUse`.
    pub(crate) async fn register_for_service(
        &self,
        service: &dyn ApplicationService,
        user_id: &UserId,
    ) -> Result<Account, AccountError> {
        let number = UserNumber(self.0.users.intern(user_id.as_str()).await?);
        let new = NewAccount {
            number,
            localpart: user_id.localpart().to_owned(),
            password_hash: None,
            provider: Some(provider_of(service)),
            external_id: None,
            mail: None,
            is_admin: false,
            is_guest: false,
            display_name: Some(user_id.localpart().to_owned()),
        };
        self.insert_account(new, Change::new()).await?;
        self.load_account(number).await
    }

    /// Sees to it that the user exists as whom a service acts if it says nothing else.
    pub async fn ensure_sender(&self, service: &dyn ApplicationService) -> Result<(), AccountError> {
        let sender = service.sender();
        if self.find_account(sender).await?.is_some() {
            return Ok(());
        }
        match self.register_for_service(service, sender).await {
            Ok(_) | Err(AccountError::UserInUse) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a device without a session (AS API § Device management); whether it is new. Error: `TooLarge`.
    pub(crate) async fn create_device(
        &self,
        user: UserNumber,
        device_id: &DeviceId,
        name: Option<String>,
    ) -> Result<bool, AccountError> {
        limit("the device ID", device_id.as_str(), DEVICE_ID_BYTES_MAX)?;
        limit(
            "the device name",
            name.as_deref().unwrap_or_default(),
            DEVICE_NAME_BYTES_MAX,
        )?;
        let (device_id, now) = (device_id.to_string(), self.0.clock.now());
        let created = self.0.database.writer().transact(move |tx| {
            Box::pin(
                async move { store::devices::create(tx, (user, &device_id), name.as_deref(), now).await },
            )
        });
        Ok(created.await?)
    }
}
