use http::{HeaderMap, HeaderValue, header};
use ruma::{OwnedServerName, ServerName, serde::Base64};

/// More `Authorization` headers than a server has keys are not looked at.
const SIGNATURES_MAX: usize = 8;
const SCHEME: &str = "X-Matrix";

/// One `Authorization` header of a request between servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct XMatrix {
    pub origin: OwnedServerName,
    /// Older servers leave it out.
    pub destination: Option<OwnedServerName>,
    /// The key's ID, with its algorithm.
    pub key: String,
    pub signature: Base64,
}

impl XMatrix {
    /// Reads a header's value; `None` if it is of another scheme, an error if it is not as the scheme has it.
    fn parse(value: &HeaderValue) -> Option<Result<Self, ()>> {
        let text = value.to_str().ok()?.trim();
        let (scheme, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        Some(Self::of_parameters(rest).ok_or(()))
    }

    fn of_parameters(text: &str) -> Option<Self> {
        let (mut origin, mut destination, mut key, mut signature) = (None, None, None, None);
        let mut rest = text;
        while let Some((name, value, after)) = next_parameter(rest) {
            let place = match name.to_ascii_lowercase().as_str() {
                "origin" => &mut origin,
                "destination" => &mut destination,
                "key" => &mut key,
                "sig" => &mut signature,
                _ => &mut None,
            };
            if place.replace(value).is_some() {
                return None;
            }
            rest = after;
        }
        if !rest.trim().is_empty() {
            return None;
        }
        let destination = destination.map(ServerName::parse).transpose().ok()?;
        Some(Self {
            origin: ServerName::parse(origin?).ok()?,
            destination,
            key: key?,
            signature: Base64::parse(signature?).ok()?,
        })
    }
}

/// The next `name=value`, and what follows it; values are quoted or, also with characters that should be quoted, not
/// (RFC 9110 § Authentication Parameters, and more leniently SS API § Request Authentication).
fn next_parameter(text: &str) -> Option<(&str, String, &str)> {
    let blank = [' ', '\t'];
    let text = text.trim_start_matches([' ', '\t', ',']);
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_start_matches(blank);
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, after) = rest.split_once(',').unwrap_or((rest, ""));
        return Some((
            name.trim_end_matches(blank),
            value.trim_end_matches(blank).to_owned(),
            after,
        ));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let after = quoted.get(at + 1..)?.trim_start_matches(blank);
                let is_over = after.is_empty() || after.starts_with(',');
                return is_over.then_some((name.trim_end_matches(blank), value, after));
            }
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

/// The signatures of a request, all by the same origin. The error is for its sender.
pub(crate) fn signatures_of(headers: &HeaderMap) -> Result<(OwnedServerName, Vec<XMatrix>), &'static str> {
    let values = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .filter_map(XMatrix::parse);
    let found: Result<Vec<XMatrix>, ()> = values.take(SIGNATURES_MAX).collect();
    let found = found.map_err(|()| "The Authorization header is not as X-Matrix has it.")?;
    let Some(origin) = found.first().map(|signature| signature.origin.clone()) else {
        return Err("The request has no X-Matrix Authorization header.");
    };
    if found.iter().any(|signature| signature.origin != origin) {
        return Err("The Authorization headers name different origins.");
    }
    Ok((origin, found))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn origin(values: &[&'static str]) -> Result<(String, usize), &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        signatures_of(&headers).map(|(origin, found)| (origin.to_string(), found.len()))
    }

    const PLAIN: &str = "X-Matrix origin=a.example,key=\"ed25519:1\",sig=\"dGVzdA\"";

    #[test]
    fn headers_are_read_in_every_form() {
        let spaced =
            "x-matrix  Origin=\"a.example\" ,\tdestination=\"b\",key=\"ed25519:2\", sig=dGVzdA==,new=1";
        assert_eq!(origin(&[PLAIN, spaced]), Ok(("a.example".to_owned(), 2)));
        assert_eq!(origin(&["Bearer x", PLAIN]), Ok(("a.example".to_owned(), 1)));
        let bare = "X-Matrix origin=a.example:8448,key=ed25519:1,sig=dGVzdA";
        assert_eq!(origin(&[bare]), Ok(("a.example:8448".to_owned(), 1)));

        let parsed = XMatrix::parse(&HeaderValue::from_static(
            "X-Matrix origin=\"a\\.example\",destination=\"b.example\",key=\"ed25519:\\\"1\",sig=\"dGVzdA\",unknown=\",\"",
        ));
        let parsed = parsed.unwrap().unwrap();
        assert_eq!(
            (parsed.origin.as_str(), parsed.key.as_str()),
            ("a.example", "ed25519:\"1")
        );
        assert_eq!(parsed.destination.unwrap(), "b.example");
        assert_eq!(parsed.signature.as_bytes(), b"test");
    }

    #[test]
    fn what_is_incomplete_or_contradicts_itself_is_refused() {
        for wrong in [
            vec![],
            vec!["Bearer x"],
            vec!["X-Matrix"],
            vec!["X-Matrix origin=a.example"],
            vec!["X-Matrix origin=a.example,key=\"ed25519:1\",sig=\"dGVzdA"],
            vec!["X-Matrix origin=a.example,key=\"ed25519:1\",sig=\"dGVzdA\" x"],
            vec!["X-Matrix origin=a.example,origin=b.example,key=\"ed25519:1\",sig=\"dGVzdA\""],
            vec!["X-Matrix origin=\"a example\",key=\"ed25519:1\",sig=\"dGVzdA\""],
            vec!["X-Matrix origin=a.example,key=\"ed25519:1\",sig=\"*\""],
            vec![
                PLAIN,
                "X-Matrix origin=b.example,key=\"ed25519:1\",sig=\"dGVzdA\"",
            ],
        ] {
            assert!(origin(&wrong).is_err(), "{wrong:?}");
        }
    }
}
