use std::time::Duration;

use echorift_storage::UserNumber;
use rand::Rng as _;

use super::{
    client::DEVICE_CODE,
    error::OAuthError,
    scope::Scope,
    store::{
        self,
        clients::Client,
        devices::{Decision, Waiting},
    },
};
use crate::{AccountError, Accounts, options::milliseconds, secret};

/// How long a person has to let a device in.
pub(crate) const DEVICE_CODE_LIFETIME: Duration = Duration::from_secs(20 * 60);
/// How long a device waits between two questions.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Consonants alone make no words (RFC 8628 § 6.1); eight of them are 34 bits, and guesses are limited.
const USER_CODE_LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE_LENGTH: usize = 8;
/// Two waiting devices with the same code are as good as impossible; three times in a row they are a fault.
const USER_CODE_TRIES: usize = 3;

/// What a device that waits is told.
pub(crate) struct DeviceAuthorization {
    pub(crate) device_code: String,
    /// As it is shown: `WDJB-MJHT`.
    pub(crate) user_code: String,
}

impl Accounts {
    /// Begins to wait for a person who lets the device in (CS API § Device authorisation flow).
    pub(crate) async fn begin_device_login(
        &self,
        client: &Client,
        scope: &str,
    ) -> Result<DeviceAuthorization, OAuthError> {
        if !client.metadata.may_use(DEVICE_CODE) {
            return Err(OAuthError::UnauthorizedClient);
        }
        let scope = Scope::parse(scope)?;
        let device_code = secret::random_secret();
        let waiting = Waiting {
            client_id: client.id.clone(),
            device_id: scope.device_id.to_string(),
            scope: scope.granted,
            expires: self.0.clock.now().plus_ms(milliseconds(DEVICE_CODE_LIFETIME)),
            interval_ms: milliseconds(POLL_INTERVAL),
            asked: None,
            decision: Decision::Pending,
        };
        for _ in 0..USER_CODE_TRIES {
            let user_code = random_user_code();
            let (hash, code, row) = (secret::hash(&device_code), user_code.clone(), waiting.clone());
            let inserted = self.0.database.writer().transact(move |tx| {
                Box::pin(async move { store::devices::insert(tx, &hash, &code, &row).await })
            });
            if inserted.await? {
                return Ok(DeviceAuthorization {
                    device_code,
                    user_code: shown(&user_code),
                });
            }
        }
        Err(OAuthError::InvalidRequest("no user code is free: try again"))
    }

    /// The device that waits with the code that a person typed, and its client. `None` also for one that was decided
    /// on.
    pub(crate) async fn find_waiting_device(
        &self,
        typed: &str,
    ) -> Result<Option<(Waiting, Client)>, AccountError> {
        let Some(code) = read_user_code(typed) else {
            return Ok(None);
        };
        let waiting = store::devices::find_by_user_code(&self.0.database, &code).await?;
        let now = self.0.clock.now();
        let waiting =
            waiting.filter(|waiting| waiting.expires > now && waiting.decision == Decision::Pending);
        let Some(waiting) = waiting else {
            return Ok(None);
        };
        let client = self.find_client(&waiting.client_id).await?;
        Ok(client.map(|client| (waiting, client)))
    }

    /// Lets the device in as `user`, or sends it away; whether it still waited.
    pub(crate) async fn decide_on_device(
        &self,
        typed: &str,
        user: UserNumber,
        is_allowed: bool,
    ) -> Result<bool, AccountError> {
        let Some((waiting, code)) = store_code(self, typed).await? else {
            return Ok(false);
        };
        let now = self.0.clock.now();
        let decided = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                if is_allowed {
                    store::clients::note_use(tx, &waiting.client_id, now).await?;
                }
                store::devices::decide(tx, &code, user, is_allowed, now).await
            })
        });
        decided.await.map_err(AccountError::Storage)
    }
}

async fn store_code(accounts: &Accounts, typed: &str) -> Result<Option<(Waiting, String)>, AccountError> {
    let waiting = accounts.find_waiting_device(typed).await?;
    Ok(waiting
        .zip(read_user_code(typed))
        .map(|((waiting, _), code)| (waiting, code)))
}

fn random_user_code() -> String {
    let mut rng = rand::rng();
    (0..USER_CODE_LENGTH)
        .filter_map(|_| USER_CODE_LETTERS.get(rng.random_range(0..USER_CODE_LETTERS.len())))
        .map(|letter| char::from(*letter))
        .collect()
}

/// In two halves, as people read them.
pub(crate) fn shown(code: &str) -> String {
    let (first, second) = code.split_at_checked(USER_CODE_LENGTH / 2).unwrap_or((code, ""));
    format!("{first}-{second}")
}

/// Reads a code as people type it: in small letters, with or without a hyphen or blanks.
pub(crate) fn read_user_code(typed: &str) -> Option<String> {
    let letters: String = typed
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let is_code =
        letters.len() == USER_CODE_LENGTH && letters.bytes().all(|b| USER_CODE_LETTERS.contains(&b));
    is_code.then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = random_user_code();
        assert_eq!(read_user_code(&shown(&code).to_lowercase()), Some(code.clone()));
        assert_eq!(read_user_code(&format!(" {code} ")), Some(code));
        assert_eq!(read_user_code("WDJB-MJHA"), None);
        assert_eq!(read_user_code("WDJB-MJH"), None);
        assert_eq!(read_user_code(""), None);
    }
}
