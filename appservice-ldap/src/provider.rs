//! The directory as one of the places where accounts ask for passwords.

use echorift_accounts::{
    ChangeAnswer, Identity, PasswordProvider, PasswordWarning, ProviderAnswer, ProviderError, Refusal,
    StandingAnswer, WhosePassword,
};
use echorift_web::BoxFuture;

use crate::directory::Directory;
use crate::identity::{DirectoryUser, id_of_told};
use crate::password_change::{PasswordChangeRefusal, Whose};
use crate::password_policy;
use crate::refusal::LoginRefusal;

/// Marks the accounts that the directory owns, before `:` and the name of the domain unless it is that of
/// `[directory]` itself; stored with each, so it never changes.
const NAME: &str = "ldap";

/// The name of a domain as a provider. It is never freed: there are as many as the settings have domains, and each
/// lasts as long as the process.
pub fn provider_name(domain: &str) -> &'static str {
    if domain.is_empty() {
        NAME
    } else {
        format!("{NAME}:{domain}").leak()
    }
}

impl PasswordProvider for Directory {
    fn name(&self) -> &'static str {
        self.inner.provider_name
    }

    fn check<'a>(
        &'a self,
        login: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, Result<ProviderAnswer, ProviderError>> {
        Box::pin(async move {
            match self.log_in(login, password).await {
                Ok((user, warning)) => Ok(ProviderAnswer::Accepted(Identity {
                    password_warning: warning.map(told_warning),
                    ..identity(user, self.names_admins())
                })),
                Err(LoginRefusal::UnknownUser | LoginRefusal::BadUsername) => Ok(ProviderAnswer::Unknown),
                Err(LoginRefusal::WrongPassword | LoginRefusal::EmptyPassword) => {
                    Ok(ProviderAnswer::WrongPassword)
                }
                Err(LoginRefusal::Unavailable(cause)) => Err(ProviderError::Unavailable(cause)),
                Err(refusal) => Ok(ProviderAnswer::Refused {
                    told: self.told(&refusal),
                    reason: refusal.reason().to_owned(),
                }),
            }
        })
    }

    /// GUIDs as text and in Base64, as Entra ID passes them on; other IDs letter by letter, whatever their case.
    fn external_id_of(&self, told: &str) -> Option<String> {
        id_of_told(&self.inner.config.attribute_id, told)
    }

    fn changes_passwords(&self) -> bool {
        self.offers_password_change()
    }

    fn change_password<'a>(
        &'a self,
        whose: WhosePassword<'a>,
        old: &'a str,
        new: &'a str,
    ) -> BoxFuture<'a, Result<ChangeAnswer, ProviderError>> {
        let whose = match whose {
            WhosePassword::Login(login) => Whose::Login(login),
            WhosePassword::ExternalId(id) => Whose::ImmutableId(id),
        };
        Box::pin(async move {
            Ok(match self.replace_password(whose, old, new).await {
                Ok(external_id) => ChangeAnswer::Changed { external_id },
                Err(PasswordChangeRefusal::Off) => ChangeAnswer::NotOffered,
                Err(PasswordChangeRefusal::Weak(reason)) => ChangeAnswer::Weak(reason),
                Err(PasswordChangeRefusal::NotAllowed(_)) => ChangeAnswer::NotOffered,
                Err(PasswordChangeRefusal::Login(refusal)) => match refusal {
                    LoginRefusal::UnknownUser | LoginRefusal::BadUsername => ChangeAnswer::Unknown,
                    LoginRefusal::WrongPassword | LoginRefusal::EmptyPassword => ChangeAnswer::WrongPassword,
                    LoginRefusal::Unavailable(cause) => return Err(ProviderError::Unavailable(cause)),
                    refusal => ChangeAnswer::Refused {
                        told: self.told(&refusal),
                        reason: refusal.reason().to_owned(),
                    },
                },
            })
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
                Ok(StandingAnswer::Missing)
            }
        }
    }

    /// How much of a refusal its person may know: the truth after the right password, and nothing else otherwise.
    fn told(&self, refusal: &LoginRefusal) -> Refusal {
        let offers = self.offers_password_change();
        match refusal {
            LoginRefusal::Locked => Refusal::Locked,
            LoginRefusal::Disabled => Refusal::Disabled,
            LoginRefusal::Expired => Refusal::Expired,
            LoginRefusal::PasswordExpired { is_changeable } => Refusal::PasswordExpired {
                may_change: offers && *is_changeable,
            },
            LoginRefusal::PasswordMustChange => Refusal::PasswordMustChange { may_change: offers },
            LoginRefusal::Unproved(inner) if **inner == LoginRefusal::Locked && self.tells_locked() => {
                Refusal::Locked
            }
            LoginRefusal::Unproved(_)
            | LoginRefusal::UnknownUser
            | LoginRefusal::BadUsername
            | LoginRefusal::WrongPassword
            | LoginRefusal::EmptyPassword
            | LoginRefusal::NotInLoginGroup
            | LoginRefusal::Ambiguous
            | LoginRefusal::LogonRestricted
            | LoginRefusal::IncompleteEntry { .. }
            | LoginRefusal::Unavailable(_) => Refusal::Nothing,
        }
    }
}

fn told_warning(warning: password_policy::PasswordWarning) -> PasswordWarning {
    match warning {
        password_policy::PasswordWarning::ExpiresIn(seconds) => PasswordWarning::ExpiresIn(seconds),
        password_policy::PasswordWarning::GraceLogins(left) => PasswordWarning::GraceLogins(left),
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
        password_warning: None,
    }
}

#[cfg(test)]
mod tests {
    use echorift_storage::Clock;

    use super::*;
    use crate::DirectoryConfig;

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

    fn directory(change: impl FnOnce(&mut DirectoryConfig)) -> Directory {
        let mut config = DirectoryConfig {
            urls: vec!["ldaps://dc1.example.org".to_owned()],
            base_dn: "dc=example,dc=org".to_owned(),
            ..DirectoryConfig::default()
        };
        change(&mut config);
        Directory::new(config, Clock::system()).expect("settings that work")
    }

    #[test]
    fn a_lock_is_told_to_whoever_showed_the_password_or_where_strangers_may_know() {
        let unproved = LoginRefusal::Unproved(Box::new(LoginRefusal::Locked));
        let (silent, open) = (directory(|_| {}), directory(|config| config.tell_locked = true));
        assert_eq!(silent.told(&LoginRefusal::Locked), Refusal::Locked);
        assert_eq!(silent.told(&unproved), Refusal::Nothing);
        assert_eq!(open.told(&unproved), Refusal::Locked);
        let disabled = LoginRefusal::Unproved(Box::new(LoginRefusal::Disabled));
        assert_eq!(open.told(&disabled), Refusal::Nothing);
    }

    #[test]
    fn a_change_is_offered_where_it_is_on_and_would_be_taken() {
        let (off, on) = (
            directory(|_| {}),
            directory(|config| config.password_change = true),
        );
        let expired = |is_changeable| LoginRefusal::PasswordExpired { is_changeable };
        assert!(!off.told(&LoginRefusal::PasswordMustChange).may_change());
        assert!(on.told(&LoginRefusal::PasswordMustChange).may_change());
        assert!(on.told(&expired(true)).may_change() && !on.told(&expired(false)).may_change());
    }

    #[test]
    fn each_domain_has_a_name_of_its_own() {
        assert_eq!(PasswordProvider::name(&directory(|_| {})), "ldap");
        let sales = directory(|config| config.domain = "sales".to_owned());
        assert_eq!(PasswordProvider::name(&sales), "ldap:sales");
    }
}
