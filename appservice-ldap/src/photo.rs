//! Photos of people: told apart by digest, read again only when they are needed.

use ldap3::{Scope, SearchEntry};
use sha2::{Digest as _, Sha256};

use crate::connection::Query;
use crate::directory::Directory;
use crate::mirror::{Dn, ReadError};

/// Larger ones are no portrait but a mistake.
const PHOTO_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The first photo of an entry in byte order, so that several keep their order; an empty attribute name finds none.
pub(crate) fn of<'a>(entry: &'a SearchEntry, attribute: &str) -> Option<&'a [u8]> {
    let is_called = |name: &str| {
        name.split(';')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(attribute))
    };
    let found = entry.bin_attrs.iter().find(|(name, _)| is_called(name))?;
    let photo = found.1.iter().min()?;
    (!attribute.is_empty() && content_type(photo).is_some() && photo.len() <= PHOTO_BYTES_MAX)
        .then_some(photo)
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(photo: &[u8]) -> String {
    Sha256::digest(photo)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// By its first bytes; `None` for what is no picture that clients show.
pub(crate) fn content_type(photo: &[u8]) -> Option<&'static str> {
    match photo {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        _ => None,
    }
}

impl Directory {
    /// The photo of the person at `dn`; `None` if they are not there or have none.
    pub(crate) async fn photo(&self, dn: &Dn) -> Result<Option<Vec<u8>>, ReadError> {
        let attribute = self.inner.config.mirror.attribute_photo.as_str();
        let query = Query {
            base: dn.as_str(),
            scope: Scope::Base,
            filter: "(objectClass=*)",
            attributes: &[attribute],
            entries_max: 1,
        };
        let entries = match self.inner.look_up(query).await {
            Ok(entries) => entries,
            Err(fault) if fault.is_missing_entry() => return Ok(None),
            Err(fault) => return Err(fault.into()),
        };
        Ok(entries
            .first()
            .and_then(|entry| of(entry, attribute))
            .map(<[u8]>::to_vec))
    }
}
