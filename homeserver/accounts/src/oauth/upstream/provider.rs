use std::sync::{Arc, Mutex, PoisonError};

use echorift_storage::Timestamp;
use echorift_web::outbound::{Outbound, Redirects, read_limited};
use http::{Method, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use reqwest::RequestBuilder;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use url::Url;

use super::{
    UpstreamError,
    id_token::{self, Expected},
};
use crate::oauth::options::UpstreamOptions;

/// Documents of providers have a few kilobytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// How long what a provider publishes about itself is believed.
const METADATA_LIFETIME_MS: i64 = 3_600_000;
/// A key that is not known has the keys read again, but no more often.
const KEYS_READ_AGAIN_MS: i64 = 60_000;

/// A provider of the configuration.
pub(super) struct Upstream {
    pub(super) options: UpstreamOptions,
    outbound: Outbound,
    /// Never held while anything is awaited.
    known: Mutex<Option<Arc<Provider>>>,
}

/// What a provider publishes about itself (OpenID Connect Discovery § 3), and its keys.
pub(super) struct Provider {
    pub(super) authorization_endpoint: Url,
    token_endpoint: Url,
    userinfo_endpoint: Option<Url>,
    takes_basic: bool,
    keys: JwkSet,
    read: Timestamp,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    userinfo_endpoint: Option<Url>,
    jwks_uri: Url,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What the provider gives for a code.
#[derive(Deserialize)]
pub(super) struct UpstreamTokens {
    id_token: String,
    access_token: Option<String>,
}

/// Somebody as the provider knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// Never changes and is never given to another (OpenID Connect Core § 8).
    pub(super) subject: String,
    pub(super) localpart: Option<String>,
    pub(super) display_name: Option<String>,
    /// What [`UpstreamOptions::directory`] asks for.
    pub(super) directory_id: Option<String>,
}

impl Upstream {
    pub(super) fn new(options: UpstreamOptions, outbound: Outbound) -> Self {
        Self {
            options,
            outbound,
            known: Mutex::new(None),
        }
    }

    /// What the provider publishes, read anew once an hour.
    pub(super) async fn provider(&self, now: Timestamp) -> Result<Arc<Provider>, UpstreamError> {
        self.provider_read_after(now.plus_ms(-METADATA_LIFETIME_MS), now)
            .await
    }

    async fn provider_read_after(
        &self,
        oldest: Timestamp,
        now: Timestamp,
    ) -> Result<Arc<Provider>, UpstreamError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.read > oldest) {
            return Ok(known);
        }
        let issuer = self.options.issuer.as_str();
        let address = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let address = Url::parse(&address).map_err(|_| untrusted("its issuer is no URL"))?;
        let metadata: Metadata = self.get(address).await?;
        if metadata.issuer != issuer {
            return Err(untrusted(
                "it publishes another issuer than the configuration names",
            ));
        }
        let keys = self.get(metadata.jwks_uri).await?;
        let methods = metadata.token_endpoint_auth_methods_supported;
        let provider = Arc::new(Provider {
            authorization_endpoint: metadata.authorization_endpoint,
            token_endpoint: metadata.token_endpoint,
            userinfo_endpoint: metadata.userinfo_endpoint,
            // The default (OpenID Connect Discovery § 3).
            takes_basic: methods.is_none_or(|known| known.iter().any(|m| m == "client_secret_basic")),
            keys,
            read: now,
        });
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&provider));
        Ok(provider)
    }

    /// Exchanges a code (OpenID Connect Core § 3.1.3).
    pub(super) async fn exchange(
        &self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now: Timestamp,
    ) -> Result<UpstreamTokens, UpstreamError> {
        let provider = self.provider(now).await?;
        let id = self.options.client_id.as_str();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let url = provider.token_endpoint.clone();
        let mut request = self.outbound.request(Method::POST, url, Redirects::Never)?;
        match &self.options.client_secret {
            Some(secret) if provider.takes_basic => {
                request = request.basic_auth(encode(id), Some(encode(secret)));
            }
            secret => {
                form.push(("client_id", id));
                form.extend(secret.as_deref().map(|secret| ("client_secret", secret)));
            }
        }
        self.read(request.form(&form)).await
    }

    /// Whom the tokens are about: by the ID token, and by the userinfo endpoint where that one names nobody.
    pub(super) async fn identify(
        &self,
        tokens: &UpstreamTokens,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Person, UpstreamError> {
        let expected = Expected {
            issuer: &self.options.issuer,
            client_id: &self.options.client_id,
            nonce,
            now,
        };
        let mut provider = self.provider(now).await?;
        if !id_token::knows_key(&tokens.id_token, &provider.keys) {
            // The provider may have changed its keys since.
            provider = self
                .provider_read_after(now.plus_ms(-KEYS_READ_AGAIN_MS), now)
                .await?;
        }
        let mut claims = id_token::verify(&tokens.id_token, &provider.keys, &expected).map_err(untrusted)?;
        let subject = text_of(&claims, "sub").ok_or_else(|| untrusted("its ID token names no subject"))?;
        let directory_claim = self
            .options
            .directory
            .as_ref()
            .map(|directory| directory.claim.as_str());
        let lacks = |claim: &str| text_of(&claims, claim).is_none();
        if (lacks(&self.options.claim_localpart) || directory_claim.is_some_and(lacks))
            && let (Some(url), Some(token)) = (&provider.userinfo_endpoint, &tokens.access_token)
        {
            let request = self
                .outbound
                .request(Method::GET, url.clone(), Redirects::Never)?;
            let more: Map<String, Value> = self.read(request.bearer_auth(token)).await?;
            // OpenID Connect Core § 5.3.2: otherwise they are another's.
            if text_of(&more, "sub").as_deref() != Some(subject.as_str()) {
                return Err(untrusted("its userinfo is about another subject"));
            }
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(Person {
            localpart: text_of(&claims, &self.options.claim_localpart),
            display_name: text_of(&claims, &self.options.claim_name),
            directory_id: directory_claim.and_then(|claim| text_of(&claims, claim)),
            subject,
        })
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, UpstreamError> {
        self.read(self.outbound.request(Method::GET, url, Redirects::Never)?)
            .await
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, UpstreamError> {
        let response = self.outbound.send(request).await?;
        let status = response.status();
        let body = read_limited(response, ANSWER_BYTES_MAX).await?;
        if status != StatusCode::OK {
            // `error` of RFC 6749 § 5.2, never the whole body: it could hold anything.
            let error = serde_json::from_slice::<Map<String, Value>>(&body).ok();
            let error = error
                .and_then(|fields| text_of(&fields, "error"))
                .unwrap_or_default();
            return Err(UpstreamError::Refused(format!("{} {error}", status.as_u16())));
        }
        serde_json::from_slice(&body).map_err(|error| untrusted(&format!("its answer does not fit: {error}")))
    }
}

fn text_of(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name).and_then(Value::as_str)?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// RFC 6749 § 2.3.1: as in a form, before they are joined.
fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn untrusted(reason: &str) -> UpstreamError {
    UpstreamError::Untrusted(reason.to_owned())
}
