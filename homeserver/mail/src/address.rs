use std::fmt;

/// RFC 5321 § 4.5.3.1.3: no path is longer, so no address is.
const BYTES_MAX: usize = 254;

/// An e-mail address that can be written to, in lower case: two spellings of one mailbox are one address here.
///
/// `Debug` hides it, because addresses do not belong into logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

impl Address {
    /// `None` for what is no address, or one without a domain.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let is_address = text.len() <= BYTES_MAX && text.parse::<lettre::Address>().is_ok();
        is_address.then_some(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[address]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_an_address_are_one() {
        let [one, other] = ["Alice@Example.ORG", " alice@example.org "].map(Address::parse);
        assert_eq!(one, other);
        assert_eq!(one.unwrap().as_str(), "alice@example.org");
    }

    #[test]
    fn what_could_smuggle_in_a_header_or_a_second_recipient_is_no_address() {
        for text in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "a@b.c\r\nBcc: all@example.org",
            "a@b.c, d@e.f",
            "Alice <a@b.c>",
        ] {
            assert_eq!(Address::parse(text), None, "{text:?}");
        }
        let long = format!("{}@example.org", "a".repeat(BYTES_MAX));
        assert_eq!(Address::parse(&long), None);
    }
}
