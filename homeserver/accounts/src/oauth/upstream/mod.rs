//! Signing in at an OpenID Connect provider of the operator's choice (OpenID Connect Core § 3.1, with PKCE).

mod admission;
mod id_token;
mod provider;

use std::sync::Arc;

use echorift_storage::Timestamp;
use echorift_web::outbound::OutboundError;
use url::Url;

use self::provider::Upstream;
use super::{
    options::OAuthOptions,
    pkce,
    store::{self, upstream::UpstreamLogin},
};
use crate::{AccountError, Accounts, secret, store::accounts::Account};

/// How long somebody may take at the other place.
const LOGIN_LIFETIME_MS: i64 = 15 * 60 * 1000;

/// The providers of the configuration, in its order.
pub(crate) struct Upstreams(Vec<Arc<Upstream>>);

impl Upstreams {
    pub(crate) fn new(options: &OAuthOptions) -> Self {
        let Some(outbound) = &options.outbound else {
            return Self(Vec::new());
        };
        let upstreams = options.upstreams.iter();
        Self(
            upstreams
                .map(|options| Arc::new(Upstream::new(options.clone(), outbound.clone())))
                .collect(),
        )
    }

    fn of_issuer(&self, issuer: &str) -> Option<&Arc<Upstream>> {
        self.0.iter().find(|upstream| upstream.options.issuer == issuer)
    }
}

/// Why somebody could not be signed in from elsewhere.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("no sign-in of this browser is under way, or it took too long")]
    Stale,
    #[error("there was no answer: {0}")]
    Unavailable(#[from] OutboundError),
    #[error("what it said cannot be believed: {0}")]
    Untrusted(String),
    #[error("it has refused: {0}")]
    Refused(String),
    #[error("{0:?} cannot be a user name here")]
    BadName(String),
    #[error("the name {0:?} belongs to another account")]
    NameTaken(String),
    #[error("the directory's people here include nobody whom it calls {0:?}")]
    NotInDirectory(String),
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// Somebody who comes back.
pub(crate) struct CameBack {
    pub(crate) account: Account,
    /// Where they were going.
    pub(crate) onward: String,
}

impl Accounts {
    /// What the buttons of the log-in page say, in the order of the configuration.
    pub(crate) fn upstream_names(&self) -> Vec<String> {
        let upstreams = self.0.oauth.upstreams.0.iter();
        upstreams.map(|upstream| upstream.options.name.clone()).collect()
    }

    /// Where the browser with this cookie goes to sign in at the provider of that place in the configuration;
    /// `None` if there is none.
    pub(crate) async fn begin_upstream_login(
        &self,
        place: usize,
        cookie: &str,
        onward: &str,
    ) -> Result<Option<Url>, UpstreamError> {
        let Some(upstream) = self.0.oauth.upstreams.0.get(place) else {
            return Ok(None);
        };
        let now = self.0.clock.now();
        let provider = upstream.provider(now).await?;
        let state = secret::random_secret();
        let login = UpstreamLogin {
            browser_hash: secret::hash(cookie),
            issuer: upstream.options.issuer.clone(),
            nonce: secret::random_secret(),
            code_verifier: secret::random_secret(),
            continue_to: onward.to_owned(),
            expires: now.plus_ms(LOGIN_LIFETIME_MS),
        };
        let mut url = provider.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &upstream.options.client_id)
            .append_pair("redirect_uri", &self.upstream_callback())
            .append_pair("scope", &upstream.options.scopes.join(" "))
            .append_pair("state", &state)
            .append_pair("nonce", &login.nonce)
            .append_pair("code_challenge", &pkce::challenge(&login.code_verifier))
            .append_pair("code_challenge_method", "S256");
        let hash = secret::hash(&state);
        let begun =
            self.0.database.writer().transact(move |tx| {
                Box::pin(async move { store::upstream::insert(tx, &hash, &login).await })
            });
        begun.await.map_err(AccountError::Storage)?;
        Ok(Some(url))
    }

    /// The sign-in that a browser comes back from, used up. Error: `Stale`.
    pub(crate) async fn take_upstream_login(
        &self,
        state: &str,
        cookie: &str,
    ) -> Result<UpstreamLogin, UpstreamError> {
        let (state, browser, now) = (secret::hash(state), secret::hash(cookie), self.0.clock.now());
        let taken = self.0.database.writer().transact(move |tx| {
            Box::pin(async move { store::upstream::take(tx, &state, &browser, now).await })
        });
        taken
            .await
            .map_err(AccountError::Storage)?
            .ok_or(UpstreamError::Stale)
    }

    /// Exchanges the code that the provider gave, believes its ID token if all of it fits, and finds or makes the
    /// account.
    pub(crate) async fn finish_upstream_login(
        &self,
        login: UpstreamLogin,
        code: &str,
    ) -> Result<CameBack, UpstreamError> {
        let upstreams = &self.0.oauth.upstreams;
        let upstream = upstreams.of_issuer(&login.issuer).ok_or(UpstreamError::Stale)?;
        let now: Timestamp = self.0.clock.now();
        let callback = self.upstream_callback();
        let tokens = upstream
            .exchange(code, &callback, &login.code_verifier, now)
            .await?;
        let person = upstream.identify(&tokens, &login.nonce, now).await?;
        let account = match &upstream.options.directory {
            Some(directory) => self.admit_from_directory(directory, person).await?,
            None => self.admit_from_upstream(&login.issuer, person).await?,
        };
        Ok(CameBack {
            account,
            onward: login.continue_to,
        })
    }

    fn upstream_callback(&self) -> String {
        self.page_url("/oauth2/callback")
    }
}
