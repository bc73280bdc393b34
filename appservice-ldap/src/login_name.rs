//! What people type as their names: an account, `DOMAIN\\account`, `account@domain`, an address.

use ldap3::ldap_escape;

use crate::config::DirectoryConfig;
use crate::identity::unmapped;
use crate::template::UserFilter;

/// One way to read what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoginName {
    /// What `user_filter` looks for.
    Account(String),
    /// `userPrincipalName`, which in Active Directory need not begin with the account's name.
    Principal(String),
    Mail(String),
}

/// The ways to read what was typed, to be tried in this order until one names somebody. `None` if it names another
/// domain.
///
/// A client may send the localpart of a user id: with the domain's suffix, and with the characters that Matrix lacks
/// mapped.
pub(crate) fn readings(typed: &str, config: &DirectoryConfig) -> Option<Vec<LoginName>> {
    if let Some((domain, account)) = typed.split_once('\\')
        && !config.netbios_name.is_empty()
    {
        let is_ours = domain.eq_ignore_ascii_case(&config.netbios_name);
        return is_ours.then(|| vec![LoginName::Account(account.to_owned())]);
    }
    let mut readings = Vec::new();
    if let Some((account, suffix)) = typed.rsplit_once('@') {
        let is_ours = config
            .upn_suffixes
            .iter()
            .any(|known| known.eq_ignore_ascii_case(suffix));
        if is_ours {
            readings.push(LoginName::Principal(typed.to_owned()));
        }
        if config.login_by_mail {
            readings.push(LoginName::Mail(typed.to_owned()));
        }
        if is_ours {
            readings.push(LoginName::Account(account.to_owned()));
        }
    }
    let bare = Some(&config.uid_suffix)
        .filter(|suffix| !suffix.is_empty())
        .and_then(|suffix| typed.strip_suffix(suffix.as_str()));
    for account in [bare, Some(typed)].into_iter().flatten() {
        readings.push(LoginName::Account(account.to_owned()));
        readings.extend(unmapped(account).map(LoginName::Account));
    }
    Some(readings)
}

impl LoginName {
    /// The filter that finds whom this names.
    pub(crate) fn filter(&self, config: &DirectoryConfig, user_filter: &UserFilter) -> String {
        let people_with = |attribute: &str, value: &str| {
            let (anyone, value) = (user_filter.for_anyone(), ldap_escape(value));
            format!("(&{anyone}({attribute}={value}))")
        };
        match self {
            Self::Account(name) => user_filter.for_username(name),
            Self::Principal(name) => people_with("userPrincipalName", name),
            Self::Mail(address) => people_with(&config.attribute_mail, address),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn account(name: &str) -> LoginName {
        LoginName::Account(name.to_owned())
    }

    fn corp() -> DirectoryConfig {
        DirectoryConfig {
            netbios_name: "CORP".to_owned(),
            upn_suffixes: vec!["corp.example.org".to_owned()],
            ..DirectoryConfig::default()
        }
    }

    #[test]
    fn a_name_with_a_domain_is_for_that_domain_alone() {
        assert_eq!(readings("corp\\anna", &corp()), Some(vec![account("anna")]));
        assert_eq!(readings("sales\\anna", &corp()), None);
        // Without a short name nobody is told apart by it.
        let single = DirectoryConfig::default();
        assert_eq!(readings("corp\\anna", &single), Some(vec![account("corp\\anna")]));
    }

    #[test]
    fn a_principal_is_looked_for_by_its_attribute_and_by_its_account() {
        assert_eq!(
            readings("anna@Corp.example.org", &corp()).unwrap(),
            [
                LoginName::Principal("anna@Corp.example.org".to_owned()),
                account("anna"),
                account("anna@Corp.example.org")
            ]
        );
        assert_eq!(
            readings("anna@other.example", &corp()).unwrap(),
            [account("anna@other.example")]
        );
    }

    #[test]
    fn addresses_count_where_they_may() {
        let config = DirectoryConfig {
            login_by_mail: true,
            ..DirectoryConfig::default()
        };
        assert_eq!(
            readings("anna@example.org", &config).unwrap(),
            [
                LoginName::Mail("anna@example.org".to_owned()),
                account("anna@example.org")
            ]
        );
    }

    #[test]
    fn the_localpart_of_a_user_id_leads_back_to_the_account() {
        let sales = DirectoryConfig {
            uid_suffix: ".sales".to_owned(),
            ..DirectoryConfig::default()
        };
        assert_eq!(
            readings("o=27neil.sales", &sales).unwrap(),
            [
                account("o=27neil"),
                account("o'neil"),
                account("o=27neil.sales"),
                account("o'neil.sales")
            ]
        );
        assert_eq!(readings("anna", &sales).unwrap(), [account("anna")]);
    }

    #[test]
    fn no_name_changes_a_filter() {
        let filter = UserFilter::parse("(uid={username})").unwrap();
        for name in ["*", "a)(b=*", "\\2a"] {
            let name = LoginName::Mail(name.to_owned());
            let filter = name.filter(&DirectoryConfig::default(), &filter);
            assert!(ldap3::parse_filter(&filter).is_ok(), "{filter}");
            assert!(!filter.contains("mail=*") && !filter.contains("b=*"), "{filter}");
        }
    }
}
