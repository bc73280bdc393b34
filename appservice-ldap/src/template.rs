//! Settings with `{username}` in them, filled with what a stranger typed.

use ldap3::{dn_escape, ldap_escape, parse_filter};

/// What a setting says where the login name goes.
pub(crate) const PLACEHOLDER: &str = "{username}";

/// `user_filter`, known to be a filter whatever the name.
#[derive(Debug, Clone)]
pub(crate) struct UserFilter {
    template: String,
    /// Matches everybody whom the template could find.
    anyone: String,
}

impl UserFilter {
    /// The error completes the sentence "this setting is wrong because".
    pub(crate) fn parse(template: &str) -> Result<Self, String> {
        if !template.contains(PLACEHOLDER) {
            return Err("it does not say where {username} goes".to_owned());
        }
        if parse_filter(template.replace(PLACEHOLDER, "x")).is_err() {
            return Err("this is no LDAP filter (RFC 4515)".to_owned());
        }
        let anyone = template.replace(PLACEHOLDER, "*");
        // A placeholder in an extensible match cannot be a wildcard.
        let anyone = if parse_filter(&anyone).is_ok() {
            anyone
        } else {
            "(objectClass=*)".to_owned()
        };
        Ok(Self {
            template: template.to_owned(),
            anyone,
        })
    }

    /// The filter for one name. The name is only ever compared: its `*`, `(` and `\` are escaped.
    pub(crate) fn for_username(&self, username: &str) -> String {
        self.template.replace(PLACEHOLDER, &ldap_escape(username))
    }

    /// The filter for everybody.
    pub(crate) fn for_anyone(&self) -> &str {
        &self.anyone
    }
}

/// A name to bind a person under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DirectName {
    /// A distinguished name: the entry itself.
    Dn(String),
    /// What Active Directory also takes: `user@domain` or `DOMAIN\user`.
    Account(String),
}

impl DirectName {
    /// Fills `bind_dn`. `None` if the name could change the meaning of a template that is no DN, for which
    /// there is no escaping.
    pub(crate) fn fill(template: &str, username: &str) -> Option<Self> {
        if crate::dn::normalise(template).is_some() {
            return Some(Self::Dn(template.replace(PLACEHOLDER, &dn_escape(username))));
        }
        if username.contains(['@', '\\', '/', '"']) {
            return None;
        }
        Some(Self::Account(template.replace(PLACEHOLDER, username)))
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Dn(name) | Self::Account(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use ldap3::asn1::{ASNTag, Tag};
    use proptest::prelude::*;

    #[test]
    fn a_filter_must_name_the_person() {
        assert!(UserFilter::parse("(uid=anna)").is_err());
        assert!(UserFilter::parse("(&(uid={username})").is_err());
        assert!(UserFilter::parse("(uid={username})").is_ok());
    }

    #[test]
    fn wildcards_and_brackets_of_a_name_are_escaped() {
        let filter = UserFilter::parse("(uid={username})").unwrap();
        assert_eq!(filter.for_username("*"), "(uid=\\2a)");
        assert_eq!(filter.for_username("admin)(uid=*"), "(uid=admin\\29\\28uid=\\2a)");
        assert_eq!(filter.for_anyone(), "(uid=*)");
    }

    #[test]
    fn a_filter_without_room_for_a_wildcard_still_finds_everybody() {
        let filter = UserFilter::parse("(uid:caseExactMatch:={username})").unwrap();
        assert!(parse_filter(filter.for_anyone()).is_ok());
    }

    #[test]
    fn a_name_in_a_dn_is_escaped() {
        assert_eq!(
            DirectName::fill("uid={username},ou=people", "a,ou=admins"),
            Some(DirectName::Dn("uid=a\\2cou\\3dadmins,ou=people".to_owned()))
        );
    }

    #[test]
    fn a_name_cannot_choose_its_domain() {
        assert_eq!(
            DirectName::fill("{username}@nordlicht.example", "anna"),
            Some(DirectName::Account("anna@nordlicht.example".to_owned()))
        );
        assert_eq!(
            DirectName::fill("{username}@nordlicht.example", "anna@evil.example"),
            None
        );
        assert_eq!(DirectName::fill("NORDLICHT\\{username}", "EVIL\\anna"), None);
    }

    /// The number of ASN.1 elements: a name that stays one value never changes it.
    fn shape(filter: &str) -> usize {
        fn count(tag: &ldap3::asn1::StructureTag) -> usize {
            match &tag.payload {
                ldap3::asn1::PL::P(_) => 1,
                ldap3::asn1::PL::C(children) => 1 + children.iter().map(count).sum::<usize>(),
            }
        }
        let tag: Tag = parse_filter(filter).unwrap();
        count(&tag.into_structure())
    }

    proptest! {
        #[test]
        fn no_name_changes_the_shape_of_a_filter(name in "\\PC{1,40}|[()*\\\\&|!=]{1,20}") {
            let filter = UserFilter::parse("(&(objectClass=person)(|(uid={username})(mail={username})))").unwrap();
            prop_assert_eq!(shape(&filter.for_username(&name)), shape(&filter.for_username("x")));
        }

        #[test]
        fn no_name_adds_a_part_to_a_dn(name in "\\PC{1,40}|[,+=\\\\ #]{1,20}") {
            let Some(DirectName::Dn(dn)) = DirectName::fill("uid={username},ou=people,dc=x", &name) else {
                panic!("the template is a DN");
            };
            prop_assert_eq!(crate::dn::parent(&dn), Some("ou=people,dc=x"));
        }
    }
}
