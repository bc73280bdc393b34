use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::redirect::{self, ApplicationType, BadUri, ClientHome};

const NAME_CHARS_MAX: usize = 100;
const URI_BYTES_MAX: usize = 1024;
const REDIRECT_URIS_MAX: usize = 20;

pub(crate) const AUTHORIZATION_CODE: &str = "authorization_code";
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";
pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What the token endpoint exchanges.
pub(crate) const GRANT_TYPES: [&str; 3] = [AUTHORIZATION_CODE, REFRESH_TOKEN, DEVICE_CODE];
/// How a client may prove at the token endpoint that it is the one that registered.
pub(crate) const AUTH_METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

/// A client as it registers (CS API § Client metadata), before anything of it is believed. Fields that are unknown
/// or translated are not kept.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Registration {
    client_uri: Option<String>,
    client_name: Option<String>,
    logo_uri: Option<String>,
    tos_uri: Option<String>,
    policy_uri: Option<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    response_types: Option<Vec<String>>,
    grant_types: Option<Vec<String>>,
    token_endpoint_auth_method: Option<String>,
    application_type: Option<String>,
}

/// A client that was checked; stored and answered as it is serialised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClientMetadata {
    pub(crate) client_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tos_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_uri: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) response_types: Vec<String>,
    pub(crate) grant_types: Vec<String>,
    pub(crate) token_endpoint_auth_method: String,
    pub(crate) application_type: String,
}

/// Why a registration is refused (RFC 7591 § 3.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadMetadata {
    RedirectUri(String),
    Other(String),
}

impl Registration {
    /// Checks everything, and fills in what may be left out.
    pub(crate) fn judge(self) -> Result<ClientMetadata, BadMetadata> {
        let other = |field: &str, reason: &str| BadMetadata::Other(format!("{field} {reason}"));
        let client_uri = self.client_uri.ok_or_else(|| other("client_uri", "is missing"))?;
        let home = bounded(&client_uri).and_then(ClientHome::parse);
        let home = home.map_err(|BadUri(reason)| other("client_uri", reason))?;
        for (field, uri) in [
            ("logo_uri", &self.logo_uri),
            ("tos_uri", &self.tos_uri),
            ("policy_uri", &self.policy_uri),
        ] {
            if let Some(uri) = uri {
                let judged = bounded(uri).and_then(|uri| home.judge_page(uri));
                judged.map_err(|BadUri(reason)| other(field, reason))?;
            }
        }
        let client_name = self.client_name.filter(|name| !name.trim().is_empty());
        if client_name.as_deref().is_some_and(is_deceptive) {
            return Err(other(
                "client_name",
                "is too long or has characters that are not shown",
            ));
        }
        let application_type = match self.application_type.as_deref() {
            None | Some("web") => ApplicationType::Web,
            Some("native") => ApplicationType::Native,
            Some(_) => return Err(other("application_type", "is neither web nor native")),
        };
        if self.redirect_uris.len() > REDIRECT_URIS_MAX {
            return Err(other("redirect_uris", "are too many"));
        }
        for uri in &self.redirect_uris {
            let judged = bounded(uri).and_then(|uri| home.judge_redirect(uri, application_type));
            judged.map_err(|BadUri(reason)| BadMetadata::RedirectUri(format!("{uri} {reason}")))?;
        }
        let grant_types = known(self.grant_types.as_deref(), &GRANT_TYPES, &[AUTHORIZATION_CODE]);
        let response_types = known(self.response_types.as_deref(), &["code"], &["code"]);
        let uses_codes = grant_types.iter().any(|grant| grant == AUTHORIZATION_CODE);
        if !uses_codes && !grant_types.iter().any(|grant| grant == DEVICE_CODE) {
            return Err(other("grant_types", "holds none that leads to a token here"));
        }
        if uses_codes && response_types.is_empty() {
            return Err(other("response_types", "lacks code"));
        }
        if uses_codes && self.redirect_uris.is_empty() {
            return Err(BadMetadata::RedirectUri("redirect_uris is empty".to_owned()));
        }
        // RFC 7591 § 2: a client that says nothing has a secret.
        let method = self.token_endpoint_auth_method;
        let method = method.unwrap_or_else(|| "client_secret_basic".to_owned());
        if !AUTH_METHODS.contains(&method.as_str()) {
            return Err(other("token_endpoint_auth_method", "is not supported"));
        }
        Ok(ClientMetadata {
            client_uri,
            client_name,
            logo_uri: self.logo_uri,
            tos_uri: self.tos_uri,
            policy_uri: self.policy_uri,
            redirect_uris: self.redirect_uris,
            response_types,
            grant_types,
            token_endpoint_auth_method: method,
            application_type: match application_type {
                ApplicationType::Web => "web".to_owned(),
                ApplicationType::Native => "native".to_owned(),
            },
        })
    }
}

impl ClientMetadata {
    pub(crate) fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == "none"
    }

    pub(crate) fn may_use(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|grant| grant == grant_type)
    }

    /// Whether the browser may be sent to `presented`.
    pub(crate) fn allows_redirect(&self, presented: &str) -> bool {
        let kind = self.application_type();
        presented.len() <= URI_BYTES_MAX
            && self
                .redirect_uris
                .iter()
                .any(|uri| redirect::matches(uri, presented, kind))
    }

    /// What people know the client by: its name, or the host that it belongs to.
    pub(crate) fn shown_name(&self) -> String {
        self.client_name.clone().unwrap_or_else(|| self.host())
    }

    /// The host that the client belongs to.
    pub(crate) fn host(&self) -> String {
        host_of(&self.client_uri).unwrap_or_default()
    }

    fn application_type(&self) -> ApplicationType {
        if self.application_type == "native" {
            ApplicationType::Native
        } else {
            ApplicationType::Web
        }
    }

    /// The answer to a registration, without what is given out once only.
    pub(crate) fn as_answer(&self, client_id: &str) -> Value {
        let mut answer = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("client_id".to_owned(), client_id.into());
        }
        answer
    }
}

/// The host of an address.
pub(crate) fn host_of(uri: &str) -> Option<String> {
    url::Url::parse(uri)
        .ok()
        .and_then(|url| url.host_str().map(ToOwned::to_owned))
}

fn bounded(uri: &str) -> Result<&str, BadUri> {
    if uri.len() > URI_BYTES_MAX {
        Err(BadUri("is too long"))
    } else {
        Ok(uri)
    }
}

/// The values that are known here, each once (CS API § Client metadata: the others MUST be ignored).
fn known(values: Option<&[String]>, known: &[&str], default: &[&str]) -> Vec<String> {
    let asked = match values {
        Some(values) => values.iter().map(String::as_str).collect(),
        None => default.to_vec(),
    };
    let kept = known.iter().filter(|value| asked.contains(value));
    kept.map(|value| (*value).to_owned()).collect()
}

/// Whether a name could make the page that shows it say something else: control characters, and those that turn the
/// direction of writing.
fn is_deceptive(name: &str) -> bool {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    name.chars().count() > NAME_CHARS_MAX || name.chars().any(is_hidden)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn register(change: &Value) -> Result<ClientMetadata, BadMetadata> {
        let mut registration = json!({
            "client_uri": "https://example.com/",
            "client_name": "My App",
            "redirect_uris": ["https://app.example.com/callback"],
            "token_endpoint_auth_method": "none",
            "response_types": ["code"],
            "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"],
        });
        for (field, value) in change.as_object().unwrap() {
            registration[field] = value.clone();
        }
        serde_json::from_value::<Registration>(registration)
            .unwrap()
            .judge()
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        let client = register(&json!({ "client_name#fr": "Mon application", "contacts": [1] })).unwrap();
        assert_eq!(client.grant_types, ["authorization_code", "refresh_token"]);
        assert_eq!(client.application_type, "web");
        assert!(client.is_public());
        let answer = client.as_answer("id");
        assert_eq!(
            (&answer["client_id"], answer.get("client_name#fr")),
            (&json!("id"), None)
        );
    }

    #[test]
    fn clients_that_could_deceive_or_not_log_in_are_refused() {
        for change in [
            json!({ "client_uri": null }),
            json!({ "client_uri": "http://example.com/" }),
            json!({ "client_uri": "https://me@example.com/" }),
            json!({ "tos_uri": "https://example.org/terms" }),
            json!({ "logo_uri": "http://example.com/logo.png" }),
            json!({ "client_name": "My\u{202e}ppA" }),
            json!({ "client_name": "a".repeat(101) }),
            json!({ "application_type": "toaster" }),
            json!({ "grant_types": ["refresh_token"] }),
            json!({ "response_types": ["token"] }),
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
            json!({ "redirect_uris": vec!["https://example.com/"; 21] }),
        ] {
            assert!(
                matches!(register(&change), Err(BadMetadata::Other(_))),
                "{change}"
            );
        }
        for redirects in [
            json!([]),
            json!(["http://example.com/"]),
            json!([format!("https://example.com/{}", "a".repeat(1024))]),
        ] {
            let refused = register(&json!({ "redirect_uris": redirects }));
            assert!(matches!(refused, Err(BadMetadata::RedirectUri(_))), "{redirects}");
        }
        assert!(register(&json!({ "redirect_uris": [], "grant_types": [DEVICE_CODE] })).is_ok());
    }

    #[test]
    fn a_client_without_a_name_is_known_by_its_host() {
        assert_eq!(
            register(&json!({ "client_name": " " })).unwrap().shown_name(),
            "example.com"
        );
    }
}
