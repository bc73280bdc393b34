use std::collections::BTreeMap;

/// More fields than any of our forms has.
const FIELDS_MAX: usize = 64;

/// The fields of a query or of a posted form, each at most once (RFC 6749 § 3.1); empty ones count as left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// `None` if a field comes twice or there are too many.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut fields = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            if value.is_empty() {
                continue;
            }
            if fields.len() == FIELDS_MAX || fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        Some(Self(fields))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value, or nothing where it is left out.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// As a query again, without the field `left_out`.
    pub(crate) fn query_without(&self, left_out: &str) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.0.iter().filter(|(name, _)| *name != left_out))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_comes_twice() {
        let fields = Fields::parse(b"a=1&b=x+y%26&c=&c=").unwrap();
        assert_eq!(
            (fields.get("a"), fields.get("b"), fields.get("c")),
            (Some("1"), Some("x y&"), None)
        );
        assert_eq!(fields.query_without("a"), "b=x+y%26");
        assert!(Fields::parse(b"a=1&a=1").is_none());
    }
}
