//! Reading one file key by key: each wrong value is noted, and the rest is read all the same.

use regex::Regex;
use ruma::{ServerName, UserId};
use serde_json::{Map, Value};
use url::Url;

use super::{Namespace, Registration, RegistrationFault};

/// How many patterns of one kind a service may have.
const NAMESPACES_MAX: usize = 1_000;
/// How long an ID may be: it is a key of the database and a label of metrics.
const ID_BYTES_MAX: usize = 255;

/// The values of one file, and what is wrong with them so far.
pub(super) struct Fields<'a> {
    file: &'a str,
    values: Map<String, Value>,
    faults: &'a mut Vec<RegistrationFault>,
}

impl<'a> Fields<'a> {
    pub fn new(file: &'a str, values: Map<String, Value>, faults: &'a mut Vec<RegistrationFault>) -> Self {
        Self { file, values, faults }
    }

    /// What the file registers. Where faults were noted it is not to be used.
    pub fn read(mut self, server_name: &ServerName) -> Registration {
        let namespaces = self.namespaces();
        let mut of = |kind: &str| self.patterns(&namespaces, kind);
        let (users, aliases, rooms) = (of("users"), of("aliases"), of("rooms"));
        Registration {
            id: self.id(),
            url: self.url(),
            as_token: self.token("as_token"),
            hs_token: self.token("hs_token"),
            sender_localpart: self.sender(server_name),
            users,
            aliases,
            rooms,
            is_rate_limited: self.flag(&["rate_limited"], true),
            wants_ephemeral: self.flag(
                &["receive_ephemeral", "de.sorunome.msc2409.push_ephemeral"],
                false,
            ),
            wants_encryption: self.flag(&["org.matrix.msc3202"], false),
            protocols: self.protocols(),
        }
    }

    fn id(&mut self) -> String {
        let id = self.required_text("id", false);
        if id.len() > ID_BYTES_MAX {
            self.refuse("id", Some(&id), "is longer than 255 bytes", "Shorten it.");
        }
        id
    }

    fn url(&mut self) -> Option<Url> {
        let text = match self.values.get("url") {
            None => {
                self.refuse(
                    "url",
                    None,
                    "is missing",
                    "Write where the service is reached, or null if it is not.",
                );
                return None;
            }
            Some(Value::Null) => return None,
            Some(Value::String(text)) if text.is_empty() => return None,
            Some(value) => text_of(value).unwrap_or_default(),
        };
        let is_fit = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.host().is_some()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        };
        let url = Url::parse(&text).ok().filter(is_fit);
        if url.is_none() {
            let fix =
                "Write an address like \"http://127.0.0.1:9000\", without user name and query, or null.";
            self.refuse("url", Some(&text), "is not an address of http or https", fix);
        }
        url
    }

    fn token(&mut self, key: &str) -> String {
        self.required_text(key, true)
    }

    fn sender(&mut self, server_name: &ServerName) -> String {
        let localpart = self.required_text("sender_localpart", false);
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c);
        let is_name = localpart.chars().all(is_letter)
            && UserId::parse_with_server_name(localpart.as_str(), server_name).is_ok();
        if !localpart.is_empty() && !is_name {
            let fix = "Write the part of a user ID between \"@\" and \":\", of a-z, 0-9 and ._=-/+";
            self.refuse("sender_localpart", Some(&localpart), "is no user name", fix);
        }
        localpart
    }

    fn namespaces(&mut self) -> Map<String, Value> {
        match self.values.get("namespaces") {
            Some(Value::Object(namespaces)) => namespaces.clone(),
            other => {
                let problem = if other.is_some() {
                    "must be a table"
                } else {
                    "is missing"
                };
                let fix = "Write `users`, `aliases` and `rooms` below it, each a list (`[]` for none).";
                self.refuse("namespaces", None, problem, fix);
                Map::new()
            }
        }
    }

    fn patterns(&mut self, namespaces: &Map<String, Value>, kind: &str) -> Vec<Namespace> {
        let key = format!("namespaces.{kind}");
        let entries = match namespaces.get(kind) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                self.refuse(&key, None, "must be a list", "Write `[]` for none.");
                return Vec::new();
            }
        };
        if entries.len() > NAMESPACES_MAX {
            self.refuse(&key, None, "has more than 1000 entries", "Join patterns by `|`.");
            return Vec::new();
        }
        let read = entries.iter().enumerate();
        read.filter_map(|(index, entry)| self.pattern(&format!("{key}[{index}]"), entry))
            .collect()
    }

    fn pattern(&mut self, key: &str, entry: &Value) -> Option<Namespace> {
        let regex_key = format!("{key}.regex");
        let Some(regex) = entry.get("regex").and_then(text_of) else {
            let fix = "Write `exclusive: true` or `false`, and `regex: \"…\"`.";
            self.refuse(&regex_key, None, "is missing", fix);
            return None;
        };
        if let Err(error) = Regex::new(&anchored(&regex)) {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim();
            let problem = format!("is no regular expression that this server knows ({reason})");
            let fix = "Write one without look-around and back-references.";
            self.refuse(&regex_key, Some(&regex), &problem, fix);
            return None;
        }
        let is_exclusive = match entry.get("exclusive") {
            None => false,
            Some(Value::Bool(is_exclusive)) => *is_exclusive,
            Some(_) => {
                self.refuse(
                    &format!("{key}.exclusive"),
                    None,
                    "must be true or false",
                    "Correct it.",
                );
                return None;
            }
        };
        Some(Namespace { regex, is_exclusive })
    }

    fn protocols(&mut self) -> Vec<String> {
        match self.values.get("protocols") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
                names.iter().filter_map(text_of).collect()
            }
            Some(_) => {
                self.refuse(
                    "protocols",
                    None,
                    "must be a list of texts",
                    "Write `[]` for none.",
                );
                Vec::new()
            }
        }
    }

    fn flag(&mut self, keys: &[&str], default: bool) -> bool {
        let found = keys.iter().find_map(|key| Some((*key, self.values.get(*key)?)));
        match found {
            None | Some((_, Value::Null)) => default,
            Some((_, Value::Bool(flag))) => *flag,
            Some((key, _)) => {
                self.refuse(
                    key,
                    None,
                    "must be true or false",
                    &format!("The default is {default}."),
                );
                default
            }
        }
    }

    fn required_text(&mut self, key: &str, is_secret: bool) -> String {
        let text = self.values.get(key).and_then(text_of).unwrap_or_default();
        if text.is_empty() {
            let fix = if is_secret {
                "Write a long random text that nothing else uses."
            } else {
                "Write a text."
            };
            self.refuse(key, None, "is missing", fix);
        }
        text
    }

    fn refuse(&mut self, key: &str, value: Option<&str>, problem: &str, fix: &str) {
        self.faults.push(RegistrationFault {
            file: self.file.to_owned(),
            key: key.to_owned(),
            value: value.map(str::to_owned),
            problem: problem.to_owned(),
            fix: fix.to_owned(),
        });
    }
}

/// A namespace's pattern as it is compiled: it begins to match at the start, and need not match to the end, as bridges
/// take for granted.
pub(crate) fn anchored(regex: &str) -> String {
    format!("^(?:{regex})")
}

/// Texts, and numbers that somebody forgot to put into quotes.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
