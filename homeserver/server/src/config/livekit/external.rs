//! SFUs that others run.

use reqwest::Url;

use super::super::secret::Secret;
use super::super::table::Table;

/// LiveKit takes shorter ones and complains; they sign what lets people into calls.
const SECRET_CHARS_MIN: usize = 32;

/// An SFU that others run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExternalSfu {
    /// Empty for the one that stands in `[calls.livekit]` itself.
    pub(crate) name: String,
    pub(crate) region: Option<String>,
    pub(crate) url: String,
    pub(crate) api_url: String,
    pub(crate) api_key: String,
    pub(crate) api_secret: Secret,
}

/// What is written of an external SFU. Key and secret may be the managed one's.
pub(super) struct Draft {
    name: String,
    region: Option<String>,
    url: String,
    api_url: String,
    api_key: String,
    api_secret: Option<Secret>,
}

impl Draft {
    pub(super) fn read(table: &mut Table<'_, '_>, name: String, region: Option<String>) -> Self {
        Self {
            name,
            region,
            url: table.text("url", ""),
            api_url: table.text("api_url", ""),
            api_key: table.text("api_key", ""),
            api_secret: table.secret("api_secret"),
        }
    }

    pub(super) fn is_written(&self) -> bool {
        !(self.url.is_empty()
            && self.api_url.is_empty()
            && self.api_key.is_empty()
            && self.api_secret.is_none())
    }

    pub(super) fn finish_named(self, table: &mut Table<'_, '_>) -> Option<ExternalSfu> {
        // Part of a path and a label of metrics. These two are endpoints beside it.
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let is_taken = ["sfu", "healthz"].contains(&self.name.as_str());
        if self.name.is_empty() || self.name.len() > 32 || is_taken || !self.name.chars().all(is_plain) {
            let fix = "Write a short name in small letters, digits and hyphens, for example \"eu\".";
            table.refuse("name", "names no SFU", fix);
        }
        self.finish(table)
    }

    /// Notes what is missing or wrong.
    pub(super) fn finish(self, table: &mut Table<'_, '_>) -> Option<ExternalSfu> {
        let url = parse_url(&self.url, &["wss", "ws"]);
        if url.is_none() {
            let fix = "Write where clients connect, for example \"wss://livekit.example.org\".";
            table.refuse("url", "is no address of a LiveKit server", fix);
        }
        // LiveKit speaks both on one port.
        let api_url = match self.api_url.as_str() {
            "" => self.url.replacen("ws", "http", 1),
            written => written.to_owned(),
        };
        if parse_url(&api_url, &["https", "http"]).is_none() && url.is_some() {
            let fix = "Write where this server reaches it, for example \"http://10.0.0.7:7880\".";
            table.refuse("api_url", "is no http or https address", fix);
        }
        if self.api_key.is_empty() {
            table.refuse(
                "api_key",
                "is missing",
                "Write a key of the LiveKit server (its `keys`).",
            );
        }
        if self.api_secret.is_none() {
            table.refuse_hidden(
                "api_secret",
                "is missing",
                "Write the secret of the key, or api_secret_file.",
            );
        }
        Some(ExternalSfu {
            name: self.name,
            region: self.region,
            url: url?,
            api_url: api_url.trim_end_matches('/').to_owned(),
            api_key: self.api_key,
            api_secret: self.api_secret?,
        })
    }

    /// The pair that the managed SFU is to use, if it is not to have one of its own making.
    pub(super) fn managed_key(self, table: &mut Table<'_, '_>) -> Option<(String, Secret)> {
        match (self.api_key.is_empty(), self.api_secret) {
            (true, None) => None,
            (false, Some(secret)) => {
                if secret.reveal().chars().count() < SECRET_CHARS_MIN {
                    let problem = format!("has less than {SECRET_CHARS_MIN} characters");
                    table.refuse_hidden(
                        "api_secret",
                        &problem,
                        "Write a longer one, or neither key nor secret.",
                    );
                }
                Some((self.api_key, secret))
            }
            (true, Some(_)) => {
                table.refuse(
                    "api_key",
                    "is missing beside its secret",
                    "Write both, or neither.",
                );
                None
            }
            (false, None) => {
                table.refuse_hidden(
                    "api_secret",
                    "is missing beside its key",
                    "Write both, or neither.",
                );
                None
            }
        }
    }
}

/// The address without a slash at its end.
fn parse_url(text: &str, schemes: &[&str]) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_plain = schemes.contains(&url.scheme()) && url.has_host() && url.query().is_none();
    is_plain.then(|| text.trim_end_matches('/').to_owned())
}

pub(super) fn refuse_doubles(table: &mut Table<'_, '_>, sfus: &[ExternalSfu]) {
    for (index, sfu) in sfus.iter().enumerate() {
        let others = sfus.get(index + 1..).unwrap_or_default();
        if others
            .iter()
            .any(|other| other.name == sfu.name || other.url == sfu.url)
        {
            let problem = format!("names {:?} ({}) twice", sfu.name, sfu.url);
            table.refuse(
                "server",
                &problem,
                "Give every SFU a name and an address of its own.",
            );
        }
    }
}
