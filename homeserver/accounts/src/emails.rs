//! The e-mail addresses of accounts: what the directory says of a person, and what they have confirmed themselves.

use echorift_mail::{Address, Mailer};
use echorift_storage::{Timestamp, UserNumber};

use crate::{AccountError, Accounts, email_validation::ConfirmedEmail, store};

/// How many addresses a person can add.
const ADDRESSES_MAX: usize = 20;

/// An address of an account (CS API § Adding Account Administrative Contact Information).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountEmail {
    pub(crate) address: String,
    pub(crate) validated: Timestamp,
    pub(crate) added: Timestamp,
}

impl Accounts {
    /// Names who sends letters; only the first call counts. Without, nothing is offered that needs them.
    pub fn send_mail_with(&self, mailer: Mailer) {
        let _ = self.0.mailer.set(mailer);
    }

    /// Who sends letters, if mail is configured.
    pub fn mailer(&self) -> Option<&Mailer> {
        self.0.mailer.get()
    }

    /// The addresses of an account, that of the directory first.
    pub(crate) async fn emails(&self, user: UserNumber) -> Result<Vec<AccountEmail>, AccountError> {
        let account = self.load_account(user).await?;
        let of_directory = account.mail.map(|address| AccountEmail {
            address,
            validated: account.created,
            added: account.created,
        });
        let own = store::emails::of_user(&self.0.database, user).await?;
        let own = own.into_iter().map(|email| AccountEmail {
            address: email.address,
            validated: email.validated,
            added: email.added,
        });
        Ok(of_directory.into_iter().chain(own).collect())
    }

    /// Whether letters about the account may go to this address.
    pub async fn has_email(&self, user: UserNumber, address: &Address) -> Result<bool, AccountError> {
        let emails = self.emails(user).await?;
        Ok(emails.iter().any(|email| email.address == address.as_str()))
    }

    /// Who has this address; `None` also if the directory gives it to several people.
    pub(crate) async fn find_user_by_address(
        &self,
        address: &Address,
    ) -> Result<Option<UserNumber>, AccountError> {
        Ok(store::emails::find_owner(&self.0.database, address.as_str()).await?)
    }

    /// Whether a person may add and remove addresses: not those whose addresses the directory says.
    pub(crate) async fn may_change_emails(&self, user: UserNumber) -> Result<bool, AccountError> {
        Ok(self.mailer().is_some() && self.load_account(user).await?.provider.is_none())
    }

    /// Adds a confirmed address to an account and uses the confirmation up. Errors: `AddressInUse`, `NotConfirmed` if
    /// it was used already, `TooLarge`.
    pub(crate) async fn add_email(
        &self,
        user: UserNumber,
        email: ConfirmedEmail,
    ) -> Result<(), AccountError> {
        let known = store::emails::of_user(&self.0.database, user).await?;
        if known.len() >= ADDRESSES_MAX {
            return Err(AccountError::TooLarge {
                what: "the number of e-mail addresses",
                limit: ADDRESSES_MAX,
            });
        }
        let now = self.0.clock.now();
        let added = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                if !store::email_validations::remove(tx, &email.sid).await? {
                    return Err(AccountError::NotConfirmed);
                }
                if !store::emails::add(tx, user, &email.address, email.validated, now).await? {
                    return Err(AccountError::AddressInUse);
                }
                Ok(())
            })
        });
        added.await
    }

    /// Takes an address away, and with it the pushers that write to it. An address that the account does not have, or
    /// that the directory says, stays as it is.
    pub(crate) async fn remove_email(&self, user: UserNumber, address: &Address) -> Result<(), AccountError> {
        let address = address.as_str().to_owned();
        let removed = self.0.database.writer().transact(move |tx| {
            Box::pin(async move { store::emails::remove(tx, user, &address).await.map(drop) })
        });
        removed.await.map_err(AccountError::Storage)
    }
}
