use std::time::Duration;

use echorift_storage::UserNumber;
use url::Url;

use super::{
    client::AUTHORIZATION_CODE,
    form::Fields,
    pkce,
    scope::Scope,
    store::{self, clients::Client, codes::Grant},
};
use crate::{AccountError, Accounts, options::milliseconds, secret};

/// A client exchanges its code at once (RFC 6749 § 4.1.2 recommends ten minutes at most).
const CODE_LIFETIME: Duration = Duration::from_secs(60);
const STATE_BYTES_MAX: usize = 2048;

/// Where the answer stands in the redirect URI (CS API § Callback).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ResponseMode {
    Query,
    Fragment,
}

/// What the client wants to be done before it is answered (OpenID Connect § 3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Whatever is needed.
    Usual,
    /// Nothing may be shown.
    None,
    /// The person proves anew who they are.
    LogIn,
    /// The person makes an account.
    Create,
}

/// An authorisation request that was checked (CS API § Authorisation code flow).
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Client,
    pub(crate) scope: Scope,
    pub(crate) prompt: Prompt,
    code_challenge: String,
    callback: Callback,
    /// The redirect URI as the client wrote it: it has to repeat it letter by letter.
    presented_uri: String,
}

/// Why no person is asked.
#[derive(Debug)]
pub(crate) enum AuthorizationRefusal {
    /// It is not known that the redirect URI is the client's, so the person learns of it, and the browser stays.
    Shown(&'static str),
    /// The client learns of it.
    Redirected(Url),
    Failed(AccountError),
}

impl From<AccountError> for AuthorizationRefusal {
    fn from(error: AccountError) -> Self {
        Self::Failed(error)
    }
}

/// How the client is answered.
#[derive(Debug, Clone)]
struct Callback {
    redirect_uri: Url,
    mode: ResponseMode,
    state: Option<String>,
}

impl Callback {
    fn with(&self, answer: &[(&str, &str)]) -> Url {
        let mut url = self.redirect_uri.clone();
        let state = self.state.as_deref().map(|state| ("state", state));
        let pairs = answer.iter().copied().chain(state);
        match self.mode {
            ResponseMode::Query => {
                url.query_pairs_mut().extend_pairs(pairs);
            }
            ResponseMode::Fragment => {
                let fragment = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(pairs)
                    .finish();
                url.set_fragment(Some(&fragment));
            }
        }
        url
    }

    fn refuse(&self, error: &str, description: &str) -> AuthorizationRefusal {
        AuthorizationRefusal::Redirected(self.with(&[("error", error), ("error_description", description)]))
    }
}

impl AuthorizationRequest {
    /// Where the browser goes after `error`, a code of RFC 6749 § 4.1.2.1 or OpenID Connect § 3.1.2.6.
    pub(crate) fn refused(&self, error: &str, description: &str) -> Url {
        self.callback
            .with(&[("error", error), ("error_description", description)])
    }

    /// The address that the browser will be sent to, without what is added to it.
    pub(crate) fn redirect_uri(&self) -> &Url {
        &self.callback.redirect_uri
    }
}

impl Accounts {
    /// Checks the query of an authorisation request: first the client and where it wants to be answered, for only
    /// then may the browser be sent there, not even with an error (RFC 9700 § 4.11).
    pub(crate) async fn judge_authorization(
        &self,
        fields: &Fields,
    ) -> Result<AuthorizationRequest, AuthorizationRefusal> {
        use AuthorizationRefusal::Shown;
        let client_id = fields.get("client_id").ok_or(Shown("no_client"))?;
        let client = self
            .find_client(client_id)
            .await?
            .ok_or(Shown("unknown_client"))?;
        let presented = fields.get("redirect_uri").ok_or(Shown("bad_redirect"))?;
        if !client.metadata.allows_redirect(presented) {
            return Err(Shown("bad_redirect"));
        }
        let redirect_uri = Url::parse(presented).map_err(|_| Shown("bad_redirect"))?;
        let state = fields.get("state").map(ToOwned::to_owned);
        let mut callback = Callback {
            redirect_uri,
            mode: ResponseMode::Query,
            state: None,
        };
        if state.as_ref().is_some_and(|state| state.len() > STATE_BYTES_MAX) {
            return Err(callback.refuse("invalid_request", "state is too long"));
        }
        callback.state = state;
        match fields.get("response_mode") {
            None | Some("query") => {}
            Some("fragment") => callback.mode = ResponseMode::Fragment,
            Some(_) => {
                let description = "response_mode is neither query nor fragment";
                return Err(callback.refuse("invalid_request", description));
            }
        }
        match fields.get("response_type") {
            Some("code") if client.metadata.may_use(AUTHORIZATION_CODE) => {}
            Some("code") => {
                return Err(callback.refuse("unauthorized_client", "the client has not registered for this"));
            }
            Some(_) => return Err(callback.refuse("unsupported_response_type", "only code is supported")),
            None => return Err(callback.refuse("invalid_request", "response_type is missing")),
        }
        let scope = Scope::parse(fields.text("scope"));
        let scope = scope.map_err(|reason| callback.refuse("invalid_scope", reason.0))?;
        // Whoever names no method means `plain`, which proves nothing to a reader of the first request.
        if fields.get("code_challenge_method") != Some("S256") {
            return Err(callback.refuse("invalid_request", "code_challenge_method is not S256"));
        }
        let challenge = fields
            .get("code_challenge")
            .filter(|text| pkce::is_challenge(text));
        let code_challenge = challenge
            .ok_or_else(|| callback.refuse("invalid_request", "code_challenge is missing or no SHA-256"))?
            .to_owned();
        let prompts: Vec<&str> = fields.text("prompt").split(' ').collect();
        let prompt = match prompts.as_slice() {
            ["none"] => Prompt::None,
            several if several.contains(&"none") => {
                return Err(callback.refuse("invalid_request", "prompt=none does not go with others"));
            }
            several if several.contains(&"create") => Prompt::Create,
            several if several.contains(&"login") || several.contains(&"select_account") => Prompt::LogIn,
            _ => Prompt::Usual,
        };
        Ok(AuthorizationRequest {
            client,
            scope,
            prompt,
            code_challenge,
            callback,
            presented_uri: presented.to_owned(),
        })
    }

    /// Gives the client a code for `user`, who has allowed it; where the browser goes with it.
    pub(crate) async fn allow_client(
        &self,
        request: &AuthorizationRequest,
        user: UserNumber,
    ) -> Result<Url, AccountError> {
        let code = secret::random_secret();
        let (hash, now) = (secret::hash(&code), self.0.clock.now());
        let grant = Grant {
            client_id: request.client.id.clone(),
            user,
            redirect_uri: request.presented_uri.clone(),
            device_id: request.scope.device_id.to_string(),
            scope: request.scope.granted.clone(),
            code_challenge: request.code_challenge.clone(),
            expires: now.plus_ms(milliseconds(CODE_LIFETIME)),
            session: None,
        };
        let allowed = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                store::clients::note_use(tx, &grant.client_id, now).await?;
                store::codes::insert(tx, &hash, &grant).await
            })
        });
        allowed.await.map_err(AccountError::Storage)?;
        Ok(request.callback.with(&[("code", &code)]))
    }
}
