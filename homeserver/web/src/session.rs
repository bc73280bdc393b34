use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, OptionalFromRequestParts};
use http::{header, request::Parts};
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId};
use url::form_urlencoded;

use crate::{BoxFuture, ClientAddress, MatrixError, Scope, Scopes, guests::is_open_to_guests};

/// Who sends a request: what a valid access token stands for.
///
/// As an extractor it refuses requests without a token (`M_MISSING_TOKEN`) or with one that is unknown or expired
/// (`M_UNKNOWN_TOKEN`).
#[derive(Debug, Clone)]
pub struct Session {
    pub user_id: OwnedUserId,
    /// The integer that stands for the user in the database.
    pub user_number: i64,
    /// Empty for an application service that names no device: see [`Session::device`].
    pub device_id: OwnedDeviceId,
    /// Lives from log-in to log-out, across refreshed access tokens: the scope of transaction IDs. Below zero for an
    /// application service, which never logs in: one number for each user that it acts as.
    pub session_number: i64,
    pub is_admin: bool,
    /// A guest reaches a part of the endpoints only (CS API § Guest access): the extractors see to that.
    pub is_guest: bool,
    /// The application service whose token this is; `None` for people.
    pub service: Option<ServiceSession>,
    /// What the token may do, if it was made for a program; `None` for people who have logged in, who may do all that
    /// they are allowed to. The extractors see to that.
    pub scopes: Option<Arc<Scopes>>,
}

/// What sets an application service's requests apart (AS API § Client-Server API Extensions).
#[derive(Debug, Clone)]
pub struct ServiceSession {
    pub id: Arc<str>,
    pub is_rate_limited: bool,
}

impl Session {
    /// The device that acts, where the request cannot do without one.
    ///
    /// Errors: `M_MISSING_PARAM` for an application service that names none (AS API § Identity assertion).
    pub fn device(&self) -> Result<&DeviceId, MatrixError> {
        if self.device_id.as_str().is_empty() {
            return Err(MatrixError::missing_param(
                "This needs a device: name it by `device_id` in the query.",
            ));
        }
        Ok(&self.device_id)
    }

    /// Whether a request that is within the token's scopes may also do what takes this one: what the path does not tell.
    pub fn has_scope(&self, scope: Scope) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.allows(scope))
    }

    /// Whether a limit for people holds for this session, too.
    pub fn is_rate_limited(&self) -> bool {
        self.service
            .as_ref()
            .is_none_or(|service| service.is_rate_limited)
    }
}

/// As whom a request says that it is made, beside its token (AS API § Identity assertion). Of no meaning but for the
/// token of an application service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Assertion<'a>(Option<&'a str>);

impl<'a> Assertion<'a> {
    /// What the query of a request says.
    pub fn of_query(query: Option<&'a str>) -> Self {
        Self(query)
    }

    pub fn user_id(self) -> Option<String> {
        self.value(&["user_id"])
    }

    /// Also by the name from before it was stable (MSC4326).
    pub fn device_id(self) -> Option<String> {
        self.value(&["device_id", "org.matrix.msc3202.device_id"])
    }

    fn value(self, names: &[&str]) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.0?.as_bytes());
        let found = pairs.find(|(name, _)| names.contains(&name.as_ref()));
        found.map(|(_, value)| value.into_owned())
    }
}

/// The token of a request, whoever's it is; unchecked.
#[derive(Debug, Clone)]
pub struct BearerToken(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for BearerToken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(bearer_token(parts).map(str::to_owned)))
    }
}

/// Checks access tokens; implemented by `accounts`.
pub trait TokenVerifier: Send + Sync {
    /// Errors: `M_USER_LOCKED`, `M_UNKNOWN_TOKEN` (with `soft_logout` where the session may be continued by logging in again);
    /// for application services `M_FORBIDDEN` and `M_UNKNOWN_DEVICE`.
    fn verify<'a>(
        &'a self,
        token: &'a str,
        assertion: Assertion<'a>,
    ) -> BoxFuture<'a, Result<Session, MatrixError>>;

    /// As [`TokenVerifier::verify`], but lets locked accounts through.
    fn verify_even_locked<'a>(
        &'a self,
        token: &'a str,
        assertion: Assertion<'a>,
    ) -> BoxFuture<'a, Result<Session, MatrixError>> {
        self.verify(token, assertion)
    }

    /// Is told of each request that a session makes: where from, and with which client. Must be quick.
    fn seen(&self, _session: &Session, _address: ClientAddress) {}
}

/// The verifier as a request extension: `router.layer(Extension(Verifier(accounts)))`.
#[derive(Clone)]
pub struct Verifier(pub Arc<dyn TokenVerifier>);

/// The session if the request has a token, for endpoints where it is optional. A bad token is refused all the same.
#[derive(Debug, Clone)]
pub struct MaybeSession(pub Option<Session>);

/// The session, also of a locked account: logging out stays possible (CS API § Account locking).
#[derive(Debug, Clone)]
pub struct SessionEvenLocked(pub Session);

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixError> {
        find(parts, false).await?.ok_or_else(missing_token)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, MatrixError> {
        find(parts, false).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeSession {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixError> {
        find(parts, false).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionEvenLocked {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixError> {
        find(parts, true).await?.map(Self).ok_or_else(missing_token)
    }
}

fn missing_token() -> MatrixError {
    MatrixError::missing_token("This endpoint needs an access token.")
}

async fn find(parts: &Parts, even_locked: bool) -> Result<Option<Session>, MatrixError> {
    let Some(token) = bearer_token(parts) else {
        return Ok(None);
    };
    let verifier = parts.extensions.get::<Verifier>();
    let Verifier(verifier) =
        verifier.ok_or_else(|| MatrixError::internal("no token verifier is wired in"))?;
    let assertion = Assertion::of_query(parts.uri.query());
    let mut session = if even_locked {
        verifier.verify_even_locked(token, assertion)
    } else {
        verifier.verify(token, assertion)
    }
    .await?;
    if session.is_guest && !is_open_to_guests(&parts.method, parts.uri.path()) {
        return Err(MatrixError::guest_access_forbidden("Guests cannot do this."));
    }
    if let Some(scopes) = &session.scopes {
        let needed = scopes.check(&parts.method, path_of(parts))?;
        session.is_admin &= scopes.administer(needed);
    }
    let address = parts.extensions.get::<ClientAddress>().copied();
    verifier.seen(&session, address.unwrap_or(ClientAddress(None)));
    Ok(Some(session))
}

/// The path of a request as its scope is judged by. The administration's routes are nested, and see no more of their path
/// than its end; what was matched is the whole.
fn path_of(parts: &Parts) -> &str {
    let matched = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    matched
        .filter(|matched| matched.starts_with("/_echorift/admin/"))
        .unwrap_or_else(|| parts.uri.path())
}

/// The token of the `Authorization` header. Tokens in the query string are gone from the specification (v1.11
/// deprecated them): they end up in logs.
fn bearer_token(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
