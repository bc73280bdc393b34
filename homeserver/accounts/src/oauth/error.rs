use axum::{
    Json,
    response::{IntoResponse, Response},
};
use echorift_storage::StorageError;
use echorift_web::MatrixError;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::{client::BadMetadata, scope::BadScope};
use crate::AccountError;

/// Why a client's request is refused, by the codes of RFC 6749 § 5.2, RFC 7591 § 3.2.2 and RFC 8628 § 3.5.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OAuthError {
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("the client is unknown, or did not prove that it is the one that registered")]
    InvalidClient,
    #[error("{0}")]
    InvalidGrant(&'static str),
    #[error("the client has not registered for this grant type")]
    UnauthorizedClient,
    #[error("only authorization_code, refresh_token and device_code are exchanged here")]
    UnsupportedGrantType,
    #[error("{0}")]
    InvalidScope(&'static str),
    #[error("nobody has let the device in yet")]
    AuthorizationPending,
    #[error("the device asks too often")]
    SlowDown,
    #[error("the person has refused")]
    AccessDenied,
    #[error("nobody let the device in in time")]
    ExpiredToken,
    #[error("{0}")]
    InvalidRedirectUri(String),
    #[error("{0}")]
    InvalidClientMetadata(String),
    #[error("too many requests: slow down")]
    Limited(MatrixError),
    #[error("the server could not do this; its log says why")]
    Internal(AccountError),
}

impl OAuthError {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope(_) => "invalid_scope",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
            Self::InvalidRedirectUri(_) => "invalid_redirect_uri",
            Self::InvalidClientMetadata(_) => "invalid_client_metadata",
            Self::Limited(_) => "temporarily_unavailable",
            Self::Internal(_) => "server_error",
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let status = match &self {
            // With the time to wait, which that answer knows.
            Self::Limited(refusal) => return refusal.clone().into_response(),
            Self::Internal(cause) => {
                tracing::error!(%cause, "an OAuth request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({ "error": self.code(), "error_description": self.to_string() });
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"oauth2\""),
            );
        }
        response
    }
}

impl From<AccountError> for OAuthError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::UnknownToken { .. } => {
                Self::InvalidGrant("the token is unknown or no longer valid")
            }
            AccountError::Deactivated | AccountError::NoSuchUser => {
                Self::InvalidGrant("the account has been deactivated")
            }
            AccountError::Locked => Self::InvalidGrant("the account is locked"),
            error => Self::Internal(error),
        }
    }
}

impl From<StorageError> for OAuthError {
    fn from(error: StorageError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<BadScope> for OAuthError {
    fn from(BadScope(reason): BadScope) -> Self {
        Self::InvalidScope(reason)
    }
}

impl From<BadMetadata> for OAuthError {
    fn from(error: BadMetadata) -> Self {
        match error {
            BadMetadata::RedirectUri(reason) => Self::InvalidRedirectUri(reason),
            BadMetadata::Other(reason) => Self::InvalidClientMetadata(reason),
        }
    }
}
