//! Changing a person's password in the directory, with the old one as the proof.
//!
//! Active Directory takes the old and the new value of `unicodePwd` (MS-ADTS § 3.1.1.3.1.5), all others the
//! operation of RFC 3062.

use ldap3::LdapResult;

use crate::connection::{Connection, Fault};
use crate::directory::{Directory, Inner, PASSWORD_BYTES_MAX};
use crate::entry::Entry;
use crate::groups::RootDse;
use crate::password_policy::{PolicyAnswer, PolicyError};
use crate::refusal::LoginRefusal;
use crate::template::DirectName;

/// What a directory says about a password is shown to the person; more than this nobody reads.
const REASON_CHARS_MAX: usize = 200;
const UNICODE_PASSWORD: &str = "unicodePwd";

/// Whose password is to be changed.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// What they typed as their name.
    Login(&'a str),
    /// See [`crate::DirectoryUser::immutable_id`].
    ImmutableId(&'a str),
}

/// Why the directory keeps the old password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordChangeRefusal {
    #[error("password_change is off")]
    Off,
    /// The old password does not let them in, or not even to change it.
    #[error("{0}")]
    Login(#[from] LoginRefusal),
    /// The new password is against the directory's policy; a sentence for the person.
    #[error("{0}")]
    Weak(String),
    #[error("the directory does not let this person change the password: {0}")]
    NotAllowed(String),
}

impl From<Fault> for PasswordChangeRefusal {
    fn from(fault: Fault) -> Self {
        Self::Login(fault.into())
    }
}

impl Directory {
    /// Puts `new` in the place of `old`, also where `old` has expired and the directory still takes it for this.
    /// Gives the person's immutable id. Passwords never travel in clear.
    pub async fn replace_password(
        &self,
        whose: Whose<'_>,
        old: &str,
        new: &str,
    ) -> Result<String, PasswordChangeRefusal> {
        let outcome = self.inner.change_password(whose, old, new).await;
        let (Whose::Login(name) | Whose::ImmutableId(name)) = whose;
        match &outcome {
            Ok(_) => self.inner.answers.note::<()>(&Ok(()), self.inner.clock.now()),
            Err(PasswordChangeRefusal::Login(refusal)) => {
                self.inner
                    .answers
                    .note::<()>(&Err(refusal.clone()), self.inner.clock.now());
                self.log(refusal, name);
            }
            Err(refusal) => tracing::info!(username = ?name, "password not changed: {refusal}"),
        }
        outcome
    }

    /// Whether people may change their passwords through this server.
    pub fn offers_password_change(&self) -> bool {
        self.inner.config.password_change
    }
}

impl Inner {
    async fn change_password(
        &self,
        whose: Whose<'_>,
        old: &str,
        new: &str,
    ) -> Result<String, PasswordChangeRefusal> {
        if !self.config.password_change {
            return Err(PasswordChangeRefusal::Off);
        }
        if old.is_empty() {
            return Err(LoginRefusal::EmptyPassword.into());
        }
        if new.is_empty() || new.len() > PASSWORD_BYTES_MAX || new.contains('\0') {
            return Err(PasswordChangeRefusal::Weak("This can be no password.".to_owned()));
        }
        let entry = self.entry_of(whose, old).await?;
        let id = self.immutable_id(&entry)?;
        let mut connection = self.connection_for_change(&entry, old).await?;
        if !connection.is_encrypted() {
            return Err(PasswordChangeRefusal::NotAllowed(
                "the connection is not encrypted".to_owned(),
            ));
        }
        let result = if RootDse::read(&mut connection).await?.is_active_directory {
            let (old, new) = (quoted_utf16(old), quoted_utf16(new));
            connection.exchange(&entry.dn, UNICODE_PASSWORD, old, new).await?
        } else {
            connection.modify_own_password(old, new).await?
        };
        judge(&result)?;
        tracing::info!(dn = ?entry.dn, "a person has changed the password in the directory");
        Ok(id)
    }

    async fn entry_of(&self, whose: Whose<'_>, old: &str) -> Result<Entry, PasswordChangeRefusal> {
        Ok(match whose {
            Whose::Login(name) if self.config.is_direct_bind() => self.own_entry(name, old).await?,
            Whose::Login(name) => self.find_entry(name).await?,
            Whose::ImmutableId(_) if self.config.is_direct_bind() => {
                return Err(PasswordChangeRefusal::NotAllowed(
                    "with direct bind people change it with their login names".to_owned(),
                ));
            }
            Whose::ImmutableId(id) => self.find_entry_by_id(id).await?,
        })
    }

    /// The entry of somebody who binds as themselves.
    async fn own_entry(&self, name: &str, password: &str) -> Result<Entry, PasswordChangeRefusal> {
        let account = self.bindable(name);
        let name = DirectName::fill(&self.config.bind_dn, &account).ok_or(LoginRefusal::BadUsername)?;
        let (mut connection, _) = self.bind_person(name.as_str(), password, None).await?;
        Ok(self.read_own_entry(&mut connection, &name, &account).await?)
    }

    /// A connection on which the person may change the password: their own, or where the old one has expired the
    /// service account's, whom Active Directory lets exchange passwords that it knows.
    async fn connection_for_change(
        &self,
        entry: &Entry,
        old: &str,
    ) -> Result<Connection, PasswordChangeRefusal> {
        match self.bind_person(&entry.dn, old, Some(entry)).await {
            Ok((connection, _)) => Ok(connection),
            Err(LoginRefusal::PasswordMustChange | LoginRefusal::PasswordExpired { is_changeable: true })
                if !self.config.is_direct_bind() =>
            {
                Ok(self.connect_for(entry).await?)
            }
            Err(refusal) => Err(refusal.into()),
        }
    }
}

fn judge(result: &LdapResult) -> Result<(), PasswordChangeRefusal> {
    if result.rc == 0 {
        return Ok(());
    }
    let weak = |sentence: &str| Err(PasswordChangeRefusal::Weak(sentence.to_owned()));
    match PolicyAnswer::of(result).error {
        Some(PolicyError::TooShort) => return weak("The new password is too short."),
        Some(PolicyError::InHistory) => return weak("The new password has been used before."),
        Some(PolicyError::TooYoung) => return weak("The password was changed a short while ago: wait."),
        Some(PolicyError::InsufficientQuality) => return weak("The new password is too simple."),
        Some(PolicyError::ModificationNotAllowed) => {
            return Err(PasswordChangeRefusal::NotAllowed(result.to_string()));
        }
        _ => {}
    }
    // Windows begins its texts with the error code (MS-ERREF § 2.2): password restriction, wrong password.
    if result.text.starts_with("0000052D") {
        return weak(
            "The directory does not take this password: it is too short or too simple, or was used before.",
        );
    }
    if result.text.starts_with("00000056") {
        return Err(LoginRefusal::WrongPassword.into());
    }
    match result.rc {
        // constraintViolation
        19 => weak(&format!(
            "The directory does not take this password: {}",
            shown(&result.text)
        )),
        // invalidCredentials: the old one.
        49 => Err(LoginRefusal::WrongPassword.into()),
        // busy, unavailable
        51 | 52 => Err(LoginRefusal::Unavailable(result.to_string()).into()),
        _ => Err(PasswordChangeRefusal::NotAllowed(result.to_string())),
    }
}

/// A directory's words as part of a sentence.
fn shown(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(REASON_CHARS_MAX)
        .collect();
    if text.is_empty() {
        "its policy does not allow it".to_owned()
    } else {
        text
    }
}

/// How `unicodePwd` is written: in quotes, in UTF-16, little end first.
fn quoted_utf16(password: &str) -> Vec<u8> {
    format!("\"{password}\"")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(rc: u32, text: &str) -> PasswordChangeRefusal {
        let result = LdapResult {
            rc,
            matched: String::new(),
            text: text.to_owned(),
            refs: vec![],
            ctrls: vec![],
        };
        judge(&result).expect_err("a refusal")
    }

    #[test]
    fn a_password_is_written_as_windows_reads_it() {
        assert_eq!(quoted_utf16("aü"), [0x22, 0, 0x61, 0, 0xfc, 0, 0x22, 0]);
    }

    #[test]
    fn what_windows_says_is_told_apart() {
        let text = "0000052D: Constraint violation - check_password_restrictions: the password is too short!";
        assert!(matches!(refused(19, text), PasswordChangeRefusal::Weak(_)));
        let text = "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0";
        assert!(matches!(refused(53, text), PasswordChangeRefusal::Weak(_)));
        let text = "00000056: AtrErr: DSID-03191083, #1";
        assert_eq!(refused(19, text), LoginRefusal::WrongPassword.into());
    }

    #[test]
    fn other_directories_give_their_own_reason() {
        let refusal = refused(19, "Password fails\u{7} quality checking policy");
        let PasswordChangeRefusal::Weak(sentence) = refusal else {
            panic!("{refusal:?}");
        };
        assert!(
            sentence.ends_with("Password fails quality checking policy"),
            "{sentence}"
        );
        assert!(matches!(
            refused(50, "insufficient access"),
            PasswordChangeRefusal::NotAllowed(_)
        ));
    }
}
