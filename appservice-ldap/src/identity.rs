//! From an entry to the person that Matrix knows: immutable id, localpart, name, mail.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::config::DirectoryConfig;
use crate::entry::Entry;
use crate::refusal::LoginRefusal;

/// A user id has at most 255 bytes (Matrix appendices § User Identifiers), of which `@`, `:` and one letter of
/// the server name are not the localpart's.
const LOCALPART_BYTES_MAX: usize = 252;
/// Longer names are cut: a client shows them on one line.
const DISPLAY_NAME_CHARS_MAX: usize = 256;
/// The longest address that SMTP carries (RFC 5321 § 4.5.3.1.3, without the brackets).
const MAIL_BYTES_MAX: usize = 254;

/// A person of the directory who may use this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryUser {
    /// Stays when the person is renamed; the account hangs on it.
    pub immutable_id: String,
    /// In the Matrix grammar; the account gets it at the first login.
    pub localpart: String,
    /// At most 256 characters.
    pub display_name: Option<String>,
    pub mail: Option<String>,
    /// Member of the group that administers the server.
    pub is_admin: bool,
}

impl DirectoryUser {
    /// Reads a person, not yet an administrator. Refuses an entry without id or with a name that Matrix
    /// cannot carry.
    pub(crate) fn from_entry(entry: &Entry, config: &DirectoryConfig) -> Result<Self, LoginRefusal> {
        let lacks = |attribute: &str| LoginRefusal::IncompleteEntry {
            attribute: attribute.to_owned(),
        };
        let id = entry.bytes(&config.attribute_id).filter(|id| !id.is_empty());
        let uid = entry.text(&config.attribute_uid);
        Ok(Self {
            immutable_id: id_text(
                &config.attribute_id,
                id.ok_or_else(|| lacks(&config.attribute_id))?,
            ),
            localpart: uid
                .and_then(|uid| localpart_in(uid, config))
                .ok_or_else(|| lacks(&config.attribute_uid))?,
            display_name: entry.text(&config.attribute_name).and_then(display_name),
            mail: entry.text(&config.attribute_mail).and_then(mail),
            is_admin: false,
        })
    }
}

/// The localpart of somebody of this domain.
pub(crate) fn localpart_in(uid: &str, config: &DirectoryConfig) -> Option<String> {
    let localpart = format!("{}{}", localpart(uid)?, config.uid_suffix);
    (localpart.len() <= LOCALPART_BYTES_MAX).then_some(localpart)
}

/// Maps a directory name to a localpart (Matrix appendices § Mapping from other character sets): lower case, and
/// every other byte as `=` and two hexadecimal digits. `None` if nothing, too much or a control character is left.
pub(crate) fn localpart(uid: &str) -> Option<String> {
    if uid.is_empty() || uid.chars().any(char::is_control) {
        return None;
    }
    let mut localpart = String::with_capacity(uid.len());
    for byte in uid.to_lowercase().bytes() {
        match byte {
            // By custom, user ids with an underscore in front belong to application services.
            b'_' if localpart.is_empty() => localpart.push_str("=5f"),
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' | b'+' => localpart.push(char::from(byte)),
            other => localpart.push_str(&format!("={other:02x}")),
        }
    }
    (localpart.len() <= LOCALPART_BYTES_MAX).then_some(localpart)
}

/// The directory name behind a localpart that [`localpart`] made, if the two differ.
pub(crate) fn unmapped(localpart: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(localpart.len());
    let mut rest = localpart.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|name| name != localpart && !name.chars().any(char::is_control))
}

/// An immutable id as text: `objectGUID` as Microsoft writes it, other text as it is, other bytes in hexadecimal.
pub(crate) fn id_text(attribute: &str, bytes: &[u8]) -> String {
    if attribute.eq_ignore_ascii_case("objectGUID")
        && let Ok(guid) = <[u8; 16]>::try_from(bytes)
    {
        return guid_text(guid);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim().to_ascii_lowercase(),
        Err(_) => format!("{HEX_PREFIX}{}", hex(bytes)),
    }
}

/// The id that another place tells as text: an `objectGUID` in letters, in braces or without, or the Base64 of its
/// bytes; any other as [`id_text`] writes it. `None` for what is no GUID where one is due, and for nothing.
pub(crate) fn id_of_told(attribute: &str, told: &str) -> Option<String> {
    let told = told.trim();
    if !attribute.eq_ignore_ascii_case("objectGUID") {
        return (!told.is_empty()).then(|| id_text(attribute, told.as_bytes()));
    }
    let bare = told.strip_prefix('{').and_then(|told| told.strip_suffix('}'));
    let bytes = guid_bytes(bare.unwrap_or(told)).or_else(|| BASE64_STANDARD.decode(told).ok())?;
    Some(guid_text(bytes.try_into().ok()?))
}

/// The filter value that finds an id again: text escaped, bytes as `\xx`.
pub(crate) fn id_filter_value(attribute: &str, id: &str) -> String {
    let bytes = if attribute.eq_ignore_ascii_case("objectGUID") {
        guid_bytes(id)
    } else {
        id.strip_prefix(HEX_PREFIX).and_then(unhex)
    };
    match bytes {
        Some(bytes) => bytes.iter().map(|byte| format!("\\{byte:02x}")).collect(),
        None => ldap3::ldap_escape(id).into_owned(),
    }
}

const HEX_PREFIX: &str = "hex:";

/// A GUID's first three fields are stored little-endian (MS-DTYP § 2.3.4.2).
fn guid_text(guid: [u8; 16]) -> String {
    let [a3, a2, a1, a0, b1, b0, c1, c0, d @ ..] = guid;
    let (node_start, node) = d.split_at(2);
    format!(
        "{}-{}-{}-{}-{}",
        hex(&[a0, a1, a2, a3]),
        hex(&[b0, b1]),
        hex(&[c0, c1]),
        hex(node_start),
        hex(node)
    )
}

fn guid_bytes(text: &str) -> Option<Vec<u8>> {
    let written = <[u8; 16]>::try_from(unhex(&text.replace('-', ""))?).ok()?;
    let [a0, a1, a2, a3, b0, b1, c0, c1, d @ ..] = written;
    Some([[a3, a2, a1, a0, b1, b0, c1, c0], d].concat())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

pub(crate) fn display_name(name: &str) -> Option<String> {
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(DISPLAY_NAME_CHARS_MAX)
        .collect();
    (!name.is_empty()).then_some(name)
}

pub(crate) fn mail(address: &str) -> Option<String> {
    let is_plausible = address.len() <= MAIL_BYTES_MAX
        && address
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && !address.chars().any(|c| c.is_control() || c.is_whitespace());
    is_plausible.then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::entry::tests::entry;
    use proptest::prelude::*;

    #[test]
    fn names_are_mapped_to_the_matrix_grammar() {
        assert_eq!(localpart("Anna.Weber").unwrap(), "anna.weber");
        assert_eq!(localpart("o'neil").unwrap(), "o=27neil");
        assert_eq!(localpart("(star)*").unwrap(), "=28star=29=2a");
        assert_eq!(localpart("Jürgen").unwrap(), "j=c3=bcrgen");
        assert_eq!(localpart("a=b").unwrap(), "a=3db");
        assert_eq!(localpart("_backup_").unwrap(), "=5fbackup_");
    }

    #[test]
    fn names_that_cannot_be_mapped_are_refused() {
        assert_eq!(localpart(""), None);
        assert_eq!(localpart("a\u{0}b"), None);
        assert_eq!(localpart(&"ü".repeat(100)), None);
    }

    #[test]
    fn a_guid_reads_as_microsoft_writes_it() {
        let bytes: Vec<u8> = (0..16).collect();
        let text = id_text("objectGUID", &bytes);
        assert_eq!(text, "03020100-0504-0706-0809-0a0b0c0d0e0f");
        assert_eq!(
            id_filter_value("objectguid", &text),
            "\\00\\01\\02\\03\\04\\05\\06\\07\\08\\09\\0a\\0b\\0c\\0d\\0e\\0f"
        );
    }

    #[test]
    fn a_guid_from_elsewhere_is_the_same_in_each_of_its_forms() {
        let guid = "03020100-0504-0706-0809-0a0b0c0d0e0f";
        for told in [
            guid,
            "{03020100-0504-0706-0809-0A0B0C0D0E0F}",
            " 03020100050407060809 0a0b0c0d0e0f".replace(' ', "").as_str(),
            "AAECAwQFBgcICQoLDA0ODw==",
        ] {
            assert_eq!(id_of_told("objectguid", told).as_deref(), Some(guid), "{told}");
        }
        for told in [
            "",
            "anna",
            "AAECAwQFBgcICQoLDA0O",
            "{}",
            "03020100-0504-0706-0809",
        ] {
            assert_eq!(id_of_told("objectGUID", told), None, "{told}");
        }
        assert_eq!(id_of_told("entryUUID", " AB-01 ").as_deref(), Some("ab-01"));
        assert_eq!(id_of_told("entryUUID", " "), None);
    }

    #[test]
    fn other_ids_are_found_again() {
        assert_eq!(id_text("entryUUID", b"AB-01"), "ab-01");
        assert_eq!(id_filter_value("entryUUID", "ab-01"), "ab-01");
        assert_eq!(id_text("guid", &[0xff, 0x00]), "hex:ff00");
        assert_eq!(id_filter_value("guid", "hex:ff00"), "\\ff\\00");
        assert_eq!(id_filter_value("entryUUID", "*"), "\\2a");
    }

    #[test]
    fn an_entry_without_its_id_is_refused() {
        let entry = entry("uid=anna", [("uid", b"anna".as_slice())]);
        assert_eq!(
            DirectoryUser::from_entry(&entry, &DirectoryConfig::default()),
            Err(LoginRefusal::IncompleteEntry {
                attribute: "entryUUID".to_owned()
            })
        );
    }

    #[test]
    fn unusable_names_and_addresses_are_left_out() {
        let entry = entry(
            "uid=anna",
            [
                ("uid", b"anna".as_slice()),
                ("entryUUID", b"1".as_slice()),
                ("cn", b"\x07".as_slice()),
                ("mail", b"not an address".as_slice()),
            ],
        );
        let user = DirectoryUser::from_entry(&entry, &DirectoryConfig::default()).unwrap();
        assert_eq!((user.display_name, user.mail), (None, None));
    }

    proptest! {
        #[test]
        fn a_localpart_keeps_the_grammar_and_leads_back(uid in "\\PC{1,60}") {
            let Some(mapped) = localpart(&uid) else { return Ok(()) };
            prop_assert!(mapped.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' | b'+' | b'=')));
            let lower = uid.to_lowercase();
            prop_assert_eq!(unmapped(&mapped).unwrap_or(mapped), lower);
        }

        #[test]
        fn ids_of_any_bytes_lead_back(bytes in proptest::collection::vec(any::<u8>(), 16..=16)) {
            let value = id_filter_value("objectGUID", &id_text("objectGUID", &bytes));
            let expected: String = bytes.iter().map(|b| format!("\\{b:02x}")).collect();
            prop_assert_eq!(value, expected);
        }
    }
}
