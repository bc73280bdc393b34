//! The directory as one of the places where accounts ask for passwords.

use echorift_accounts::{Identity, PasswordProvider, ProviderAnswer, ProviderError, StandingAnswer};
use echorift_web::BoxFuture;

use crate::directory::Directory;
use crate::identity::DirectoryUser;
use crate::refusal::LoginRefusal;

/// Marks the accounts that the directory owns; stored with each, so it never changes.
pub(crate) const NAME: &str = "ldap";

impl PasswordProvider for Directory {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check<'a>(
        &'a self,
        login: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, Result<ProviderAnswer, ProviderError>> {
        Box::pin(async move {
            match self.authenticate(login, password).await {
                Ok(user) => Ok(ProviderAnswer::Accepted(identity(user, self.names_admins()))),
                Err(refusal) => answer(refusal),
            }
        })
    }

    fn standing<'a>(&'a self, external_id: &'a str) -> BoxFuture<'a, Result<StandingAnswer, ProviderError>> {
        Box::pin(async move {
            if self.inner.config.is_direct_bind() {
                return Ok(StandingAnswer::Fine);
            }
            match self.find_by_id(external_id).await {
                Ok(_) => Ok(StandingAnswer::Fine),
                Err(refusal) => self.standing_of(refusal),
            }
        })
    }
}

impl Directory {
    /// What the person's own entry says of them counts at once. That an entry or a membership is missing may be a
    /// mistake that concerns everybody: then the directory is looked through, which stops where too many would go.
    fn standing_of(&self, refusal: LoginRefusal) -> Result<StandingAnswer, ProviderError> {
        match refusal {
            LoginRefusal::Disabled | LoginRefusal::Locked | LoginRefusal::Expired => {
                Ok(StandingAnswer::Refused(refusal.reason().to_owned()))
            }
            LoginRefusal::Unavailable(cause) => Err(ProviderError::Unavailable(cause)),
            _ => {
                self.inner.look_again.notify_one();
                Ok(StandingAnswer::Fine)
            }
        }
    }
}

/// Without `admin_group` the directory has no say in who administers.
fn identity(user: DirectoryUser, directory_names_admins: bool) -> Identity {
    let DirectoryUser {
        immutable_id,
        localpart,
        display_name,
        mail,
        is_admin,
    } = user;
    Identity {
        external_id: Some(immutable_id),
        localpart,
        display_name,
        mail,
        is_admin: directory_names_admins.then_some(is_admin),
    }
}

fn answer(refusal: LoginRefusal) -> Result<ProviderAnswer, ProviderError> {
    match refusal {
        // Who is not in the directory may have a local account.
        LoginRefusal::UnknownUser | LoginRefusal::BadUsername => Ok(ProviderAnswer::Unknown),
        LoginRefusal::WrongPassword | LoginRefusal::EmptyPassword => Ok(ProviderAnswer::WrongPassword),
        LoginRefusal::NotInLoginGroup
        | LoginRefusal::Ambiguous
        | LoginRefusal::Disabled
        | LoginRefusal::Locked
        | LoginRefusal::Expired
        | LoginRefusal::PasswordExpired
        | LoginRefusal::LogonRestricted
        | LoginRefusal::IncompleteEntry { .. } => Ok(ProviderAnswer::Refused(refusal.reason().to_owned())),
        LoginRefusal::Unavailable(cause) => Err(ProviderError::Unavailable(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> DirectoryUser {
        DirectoryUser {
            immutable_id: "1".to_owned(),
            localpart: "anna".to_owned(),
            display_name: None,
            mail: None,
            is_admin: false,
        }
    }

    #[test]
    fn without_an_admin_group_administrators_stay_what_they_are() {
        assert_eq!(identity(anna(), false).is_admin, None);
        assert_eq!(identity(anna(), true).is_admin, Some(false));
    }

    #[test]
    fn local_accounts_are_asked_only_about_people_whom_the_directory_does_not_know() {
        assert_eq!(answer(LoginRefusal::UnknownUser), Ok(ProviderAnswer::Unknown));
        assert_eq!(
            answer(LoginRefusal::Disabled),
            Ok(ProviderAnswer::Refused("disabled".to_owned()))
        );
        assert_eq!(
            answer(LoginRefusal::EmptyPassword),
            Ok(ProviderAnswer::WrongPassword)
        );
        assert!(answer(LoginRefusal::Unavailable("down".to_owned())).is_err());
    }
}
