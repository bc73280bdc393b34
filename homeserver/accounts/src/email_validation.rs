//! How people show that an e-mail address is theirs: a letter with a link, and a page behind it.

use echorift_mail::{Address, Letter};
use echorift_storage::Timestamp;

use crate::{
    AccountError, Accounts, secret,
    store::{
        self,
        email_validations::{Begun, NewValidation},
    },
};

/// How long a letter's link is good, and what it confirmed.
const LIFETIME_MS: i64 = 4 * 60 * 60 * 1000;
/// How many letters go to one address in that time, whoever asks: nobody's mailbox can be filled by others.
const LETTERS_MAX: i64 = 10;

/// The page behind the link; not below `/_matrix`, for people open it and clients do not.
pub(crate) const CONFIRM_PATH: &str = "/_echorift/email/confirm";

/// What an address is confirmed for; it counts for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmailPurpose {
    Register,
    ResetPassword,
    Add,
}

impl EmailPurpose {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::ResetPassword => "reset_password",
            Self::Add => "add",
        }
    }
}

/// What a client asks for (CS API § `POST …/email/requestToken`).
#[derive(Debug, Clone)]
pub(crate) struct ValidationRequest {
    pub(crate) purpose: EmailPurpose,
    pub(crate) address: Address,
    pub(crate) client_secret: String,
    /// A letter is sent again only for a higher number.
    pub(crate) send_attempt: i64,
}

/// An address that its owner has confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfirmedEmail {
    pub(crate) address: String,
    pub(crate) validated: Timestamp,
    /// The attempt, to be used up.
    pub(crate) sid: String,
}

/// Whom a letter is to, as far as it decides what the letter says.
enum Recipient {
    Nobody,
    Person(String),
    OfDirectory(String),
}

impl Accounts {
    /// Sends a letter with a link to the address, and returns the ID of the attempt.
    ///
    /// Who asks for the register or the password learns nothing about whether the address belongs to an account: the
    /// owner of the address is told instead. Errors: `MailOff`, `AddressInUse` when adding, `TooManyLetters`,
    /// `MailFailed`.
    pub(crate) async fn request_email_validation(
        &self,
        request: ValidationRequest,
    ) -> Result<String, AccountError> {
        let mailer = self.mailer().ok_or(AccountError::MailOff)?;
        let recipient = self.recipient(&request.address).await?;
        if request.purpose == EmailPurpose::Add && !matches!(recipient, Recipient::Nobody) {
            return Err(AccountError::AddressInUse);
        }
        let (now, token) = (self.0.clock.now(), secret::random_secret());
        let new = NewValidation {
            sid: secret::random_name(),
            secret_hash: secret::hash(&request.client_secret),
            purpose: request.purpose,
            address: request.address.as_str().to_owned(),
            send_attempt: request.send_attempt,
            token_hash: secret::hash(&token),
            expires: now.plus_ms(LIFETIME_MS),
        };
        let begun = self.0.database.writer().transact(move |tx| {
            Box::pin(async move { store::email_validations::begin(tx, &new, LETTERS_MAX, now).await })
        });
        let sid = match begun.await.map_err(AccountError::Storage)? {
            Begun::Sent(sid) => return Ok(sid),
            Begun::TooManyLetters => return Err(AccountError::TooManyLetters),
            Begun::Send(sid) => sid,
        };
        let base_url = self.0.options.public_base_url.trim_end_matches('/');
        let link = format!("{base_url}{CONFIRM_PATH}?sid={sid}&token={token}");
        let link = link.as_str();
        let letter = match (request.purpose, &recipient) {
            (EmailPurpose::Register | EmailPurpose::Add, Recipient::Nobody) => {
                Letter::ConfirmAddress { link }
            }
            (
                EmailPurpose::Register | EmailPurpose::Add,
                Recipient::Person(user_id) | Recipient::OfDirectory(user_id),
            ) => Letter::AlreadyRegistered { user_id },
            (EmailPurpose::ResetPassword, Recipient::Nobody) => Letter::NoAccount,
            (EmailPurpose::ResetPassword, Recipient::Person(user_id)) => {
                Letter::ResetPassword { user_id, link }
            }
            (EmailPurpose::ResetPassword, Recipient::OfDirectory(user_id)) => {
                Letter::PasswordInDirectory { user_id }
            }
        };
        if let Err(error) = mailer.send(&request.address, &letter).await {
            tracing::warn!(%error, "a letter that asks for confirmation was not sent");
            let (sid, attempt) = (sid.clone(), request.send_attempt);
            let unsent = self.0.database.writer().transact(move |tx| {
                Box::pin(async move { store::email_validations::unsend(tx, &sid, attempt).await })
            });
            unsent.await.map_err(AccountError::Storage)?;
            return Err(AccountError::MailFailed);
        }
        Ok(sid)
    }

    async fn recipient(&self, address: &Address) -> Result<Recipient, AccountError> {
        let Some(user) = self.find_user_by_address(address).await? else {
            return Ok(Recipient::Nobody);
        };
        let account = self.load_account(user).await?;
        let user_id = self.user_id(&account)?.to_string();
        Ok(match account.provider {
            Some(_) => Recipient::OfDirectory(user_id),
            None => Recipient::Person(user_id),
        })
    }

    /// The address that a letter's link is about, while the link is good.
    pub(crate) async fn find_address_to_confirm(
        &self,
        sid: &str,
        token: &str,
    ) -> Result<Option<String>, AccountError> {
        // A link is as anyone wrote it; what no attempt is called, PostgreSQL might not even take as a text.
        if !sid.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(None);
        }
        let (hash, now) = (secret::hash(token), self.0.clock.now());
        Ok(store::email_validations::find_by_token(&self.0.database, sid, &hash, now).await?)
    }

    /// The owner of the address says so on the page; whether the link was good.
    pub(crate) async fn confirm_address(&self, sid: &str, token: &str) -> Result<bool, AccountError> {
        // A made-up link does not reach the writer.
        if self.find_address_to_confirm(sid, token).await?.is_none() {
            return Ok(false);
        }
        let (sid, hash, now) = (sid.to_owned(), secret::hash(token), self.0.clock.now());
        let confirmed = self.0.database.writer().transact(move |tx| {
            Box::pin(async move { store::email_validations::confirm(tx, &sid, &hash, now).await })
        });
        confirmed.await.map_err(AccountError::Storage)
    }

    /// The address that the client with this secret has had confirmed. Error: `NotConfirmed`.
    pub(crate) async fn confirmed_email(
        &self,
        purpose: EmailPurpose,
        sid: &str,
        client_secret: &str,
    ) -> Result<ConfirmedEmail, AccountError> {
        let (hash, now) = (secret::hash(client_secret), self.0.clock.now());
        let found =
            store::email_validations::find_by_secret(&self.0.database, purpose, sid, &hash, now).await?;
        let found = found.and_then(|validation| Some((validation.address, validation.validated?)));
        let (address, validated) = found.ok_or(AccountError::NotConfirmed)?;
        Ok(ConfirmedEmail {
            address,
            validated,
            sid: sid.to_owned(),
        })
    }
}
