mod attempts;

pub(crate) use self::attempts::{Attempts, Made, Wish};

use echorift_storage::{Change, UserNumber};
use ruma::OwnedUserId;
use subtle::ConstantTimeEq as _;

use crate::{
    AccountError, Accounts,
    marks::Mark,
    secret,
    store::{
        self,
        accounts::{Account, NewAccount},
    },
    username::{judge_localpart, localpart_of},
};

/// How long the names are that the server finds for people.
const FOUND_NAME_LETTERS: usize = 12;

impl Accounts {
    /// Makes an account with a local password.
    ///
    /// Errors: `InvalidUsername`, `Exclusive`, `UserInUse`, `BadPassword`.
    pub async fn create_local_user(
        &self,
        localpart: &str,
        password: &str,
        is_admin: bool,
    ) -> Result<OwnedUserId, AccountError> {
        let user_id = judge_localpart(localpart, self.server_name())?;
        let new = self.new_local_account(&user_id, password, is_admin).await?;
        self.insert_account(new, Change::new()).await?;
        Ok(user_id)
    }

    /// Checks that a name can be registered. `None` has the server find one.
    ///
    /// Errors: `InvalidUsername`, `Exclusive`, `UserInUse`.
    pub(crate) async fn judge_new_name(&self, username: Option<&str>) -> Result<OwnedUserId, AccountError> {
        let found = || secret::random_letters(FOUND_NAME_LETTERS).to_lowercase();
        let localpart = match username {
            Some(typed) => localpart_of(typed, self.server_name())
                .ok_or(AccountError::InvalidUsername("This is a name of another server."))?,
            None => found(),
        };
        let user_id = judge_localpart(&localpart, self.server_name())?;
        self.check_not_exclusive(&user_id)?;
        if store::accounts::find_by_localpart(&self.0.database, &localpart)
            .await?
            .is_some()
        {
            return Err(AccountError::UserInUse);
        }
        Ok(user_id)
    }

    /// The account that a session of stages has led to, unless `username` means another one.
    pub(crate) async fn find_made(
        &self,
        session: &str,
        username: Option<&str>,
    ) -> Result<Option<(Account, Made)>, AccountError> {
        let Some(made) = self.0.attempts.made(session, self.0.clock.now()) else {
            return Ok(None);
        };
        let account = self.load_account(made.user).await?;
        let is_meant = username.is_none_or(|typed| {
            localpart_of(typed, self.server_name()).as_deref() == Some(account.localpart.as_str())
        });
        Ok(is_meant.then_some((account, made)))
    }

    /// Whether `token` lets its holder register, as the operator has configured it. Compared in constant time.
    pub(crate) fn is_registration_token(&self, token: &str) -> bool {
        let options = &self.0.options.registration;
        let known = options.token.as_deref().filter(|_| options.enabled);
        known.is_some_and(|known| bool::from(known.as_bytes().ct_eq(token.as_bytes())))
    }

    /// Whether new people can show that an e-mail address is theirs, so that the account has it from the start.
    pub(crate) fn registers_by_mail(&self) -> bool {
        self.0.options.registration.enabled && self.mailer().is_some()
    }

    /// Makes the account `user_id` for whoever is allowed to register, and returns it.
    pub(crate) async fn register(
        &self,
        user_id: &OwnedUserId,
        password: &str,
        is_admin: bool,
    ) -> Result<Account, AccountError> {
        let new = self.new_local_account(user_id, password, is_admin).await?;
        let number = new.number;
        self.insert_account(new, Change::new()).await?;
        self.load_account(number).await
    }

    /// Hashes the password and gives the name its number.
    pub(crate) async fn new_local_account(
        &self,
        user_id: &OwnedUserId,
        password: &str,
        is_admin: bool,
    ) -> Result<NewAccount, AccountError> {
        self.check_not_exclusive(user_id)?;
        let localpart = user_id.localpart().to_owned();
        if store::accounts::find_by_localpart(&self.0.database, &localpart)
            .await?
            .is_some()
        {
            return Err(AccountError::UserInUse);
        }
        Ok(NewAccount {
            password_hash: Some(self.0.passwords.hash(password).await?),
            number: UserNumber(self.0.users.intern(user_id.as_str()).await?),
            display_name: Some(localpart.clone()),
            localpart,
            provider: None,
            external_id: None,
            mail: None,
            is_admin,
            is_guest: false,
        })
    }

    /// Writes a new account, and `remember` with it. Error: `UserInUse`.
    pub(crate) async fn insert_account(&self, new: NewAccount, remember: Change) -> Result<(), AccountError> {
        let (number, is_admin, is_guest) = (new.number, new.is_admin, new.is_guest);
        let now = self.0.clock.now();
        self.0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    tx.apply(remember).await?;
                    store::accounts::insert(tx, &new, now).await
                })
            })
            .await?;
        self.0.marks.change(number.0, |mark| {
            *mark = Mark {
                is_admin: is_admin || mark.is_admin,
                is_guest,
                ..*mark
            };
        });
        Ok(())
    }
}
