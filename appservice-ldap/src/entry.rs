//! One entry of the directory, as far as a login reads it.

use std::collections::HashMap;

use ldap3::SearchEntry;

use crate::url::DirectoryUrl;

/// A person in thousands of groups is plausible; more values of one attribute are not looked at.
const VALUES_MAX: usize = 5_000;

/// A name and attributes by lower-case name. Values are bytes: `objectGUID` is no text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As the server spells it.
    pub dn: String,
    /// The server that another one referred to for it; `None` for those of the settings.
    pub held_by: Option<DirectoryUrl>,
    attributes: HashMap<String, Vec<Vec<u8>>>,
}

impl Entry {
    /// The first value of an attribute in byte order: servers return values in any order, and a person with
    /// two `uid`s must not change their user id from one login to the next.
    pub(crate) fn bytes(&self, attribute: &str) -> Option<&[u8]> {
        self.all_bytes(attribute).iter().min().map(Vec::as_slice)
    }

    /// Like [`Entry::bytes`], without surrounding blanks; `None` if it is empty or no UTF-8.
    pub(crate) fn text(&self, attribute: &str) -> Option<&str> {
        let text = std::str::from_utf8(self.bytes(attribute)?).ok()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// A value that is a decimal number.
    pub(crate) fn number(&self, attribute: &str) -> Option<i64> {
        self.text(attribute)?.parse().ok()
    }

    /// Every value that is text.
    pub(crate) fn texts(&self, attribute: &str) -> impl Iterator<Item = &str> {
        self.all_bytes(attribute)
            .iter()
            .filter_map(|value| std::str::from_utf8(value).ok())
    }

    fn all_bytes(&self, attribute: &str) -> &[Vec<u8>] {
        self.attributes
            .get(&attribute.to_ascii_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, attribute: &str, values: impl Iterator<Item = Vec<u8>>) {
        // Active Directory delivers long lists in pieces, as `memberOf;range=0-1499`.
        let name = attribute
            .split(';')
            .next()
            .unwrap_or(attribute)
            .to_ascii_lowercase();
        let known = self.attributes.entry(name).or_default();
        let room = VALUES_MAX.saturating_sub(known.len());
        known.extend(values.take(room));
    }
}

impl From<SearchEntry> for Entry {
    fn from(found: SearchEntry) -> Self {
        let mut entry = Self {
            dn: found.dn,
            held_by: None,
            attributes: HashMap::new(),
        };
        for (name, values) in found.attrs {
            entry.add(&name, values.into_iter().map(String::into_bytes));
        }
        for (name, values) in found.bin_attrs {
            entry.add(&name, values.into_iter());
        }
        entry
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An entry with these attributes, for the tests of this crate.
    pub(crate) fn entry<'a>(dn: &str, attributes: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Entry {
        let mut entry = Entry {
            dn: dn.to_owned(),
            ..Entry::default()
        };
        for (name, value) in attributes {
            entry.add(name, std::iter::once(value.to_vec()));
        }
        entry
    }

    #[test]
    fn names_of_attributes_are_compared_without_case_and_options() {
        let entry = entry(
            "",
            [
                ("memberOf;range=0-1499", b"a".as_slice()),
                ("MEMBEROF", b"b".as_slice()),
            ],
        );
        assert_eq!(entry.texts("memberof").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn the_order_of_values_does_not_matter() {
        let one = entry("", [("uid", b"b".as_slice()), ("uid", b"a".as_slice())]);
        let other = entry("", [("uid", b"a".as_slice()), ("uid", b"b".as_slice())]);
        assert_eq!((one.text("uid"), other.text("uid")), (Some("a"), Some("a")));
    }

    #[test]
    fn an_attribute_has_bounded_values() {
        let mut entry = Entry::default();
        entry.add("memberOf", std::iter::repeat_n(b"a".to_vec(), VALUES_MAX * 2));
        assert_eq!(entry.texts("memberOf").count(), VALUES_MAX);
    }
}
