//! People who look in without an account of their own (CS API § Guest access).

use echorift_storage::{Change, UserNumber};
use ruma::UserId;

use crate::{
    AccountError, Accounts,
    store::{
        self,
        accounts::{Account, NewAccount},
    },
};

/// How many guests are taken leave of in one round of the housekeeping.
const ENDED_AT_ONCE: i64 = 100;
/// An account is made an instant before its first session.
const FRESH_MS: i64 = 10 * 60 * 1000;

impl Accounts {
    /// Makes an account without a password under a name that the server finds.
    pub(crate) async fn register_guest(&self) -> Result<Account, AccountError> {
        let user_id = self.judge_new_name(None).await?;
        let new = NewAccount {
            number: UserNumber(self.0.users.intern(user_id.as_str()).await?),
            localpart: user_id.localpart().to_owned(),
            password_hash: None,
            provider: None,
            external_id: None,
            mail: None,
            is_admin: false,
            is_guest: true,
            display_name: None,
        };
        let number = new.number;
        self.insert_account(new, Change::new()).await?;
        self.load_account(number).await
    }

    /// The guest whose access token this is, if they want to go on under the name that they have.
    ///
    /// Errors: `WrongCredentials` for tokens that are not a guest's, `InvalidUsername` for another name.
    pub(crate) async fn find_upgrading_guest(
        &self,
        token: &str,
        username: Option<&str>,
    ) -> Result<UserNumber, AccountError> {
        let session = self.session_of(token).filter(|session| session.is_guest);
        let session = session.ok_or(AccountError::WrongCredentials)?;
        if username.is_some_and(|username| username.eq_ignore_ascii_case(session.user_id.localpart())) {
            Ok(UserNumber(session.user_number))
        } else {
            Err(AccountError::InvalidUsername("A guest keeps their user name."))
        }
    }

    /// Makes a guest's account a whole one. Their sessions go on.
    ///
    /// Errors: `BadPassword`, `UserInUse` if they are no guest any more.
    pub(crate) async fn upgrade_guest(
        &self,
        guest: UserNumber,
        password: &str,
    ) -> Result<Account, AccountError> {
        let hash = self.0.passwords.hash(password).await?;
        let upgraded = self.0.database.writer().transact(move |tx| {
            Box::pin(async move { store::accounts::upgrade_guest(tx, guest, &hash).await })
        });
        if !upgraded.await.map_err(AccountError::Storage)? {
            return Err(AccountError::UserInUse);
        }
        self.0.marks.change(guest.0, |mark| mark.is_guest = false);
        self.load_account(guest).await
    }

    /// Ends the accounts of guests who can never come back: they have no password, and their sessions are over.
    pub(crate) async fn end_stale_guests(&self) -> Result<(), AccountError> {
        let now = self.0.clock.now();
        let times = (now, now.plus_ms(-FRESH_MS));
        for (user, localpart) in store::accounts::stale_guests(&self.0.database, times, ENDED_AT_ONCE).await?
        {
            let Ok(user_id) = UserId::parse_with_server_name(localpart, self.server_name()) else {
                continue;
            };
            self.deactivate(user, &user_id, false, Change::new()).await?;
        }
        Ok(())
    }
}
