use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

/// A refusal as the client sees it: a status, an `errcode`, a sentence (CS API § Standard error response).
#[derive(Debug, Clone)]
pub struct MatrixError {
    status: StatusCode,
    /// One of ours, or what another server said.
    errcode: Cow<'static, str>,
    message: String,
    /// Further fields of the body.
    fields: Map<String, Value>,
    retry_after: Option<Duration>,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $status:ident $errcode:literal),+ $(,)?) => {
        impl MatrixError {
            $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self {
                Self::new(StatusCode::$status, $errcode, message)
            })+
        }
    };
}

refusals! {
    forbidden = FORBIDDEN "M_FORBIDDEN",
    guest_access_forbidden = FORBIDDEN "M_GUEST_ACCESS_FORBIDDEN",
    unknown_token_hard = UNAUTHORIZED "M_UNKNOWN_TOKEN",
    missing_token = UNAUTHORIZED "M_MISSING_TOKEN",
    bad_json = BAD_REQUEST "M_BAD_JSON",
    not_json = BAD_REQUEST "M_NOT_JSON",
    not_found = NOT_FOUND "M_NOT_FOUND",
    unrecognized = NOT_FOUND "M_UNRECOGNIZED",
    method_not_allowed = METHOD_NOT_ALLOWED "M_UNRECOGNIZED",
    invalid_param = BAD_REQUEST "M_INVALID_PARAM",
    missing_param = BAD_REQUEST "M_MISSING_PARAM",
    too_large = PAYLOAD_TOO_LARGE "M_TOO_LARGE",
    /// For what the specification leaves without an errcode of its own and the client could mend.
    bad_state = BAD_REQUEST "M_BAD_STATE",
    room_in_use = BAD_REQUEST "M_ROOM_IN_USE",
    duplicate_annotation = BAD_REQUEST "M_DUPLICATE_ANNOTATION",
    bad_alias = BAD_REQUEST "M_BAD_ALIAS",
    /// The invited user lets nobody invite them (CS API § Invite permission).
    invite_blocked = FORBIDDEN "M_INVITE_BLOCKED",
    user_in_use = BAD_REQUEST "M_USER_IN_USE",
    invalid_username = BAD_REQUEST "M_INVALID_USERNAME",
    user_deactivated = FORBIDDEN "M_USER_DEACTIVATED",
    /// The account may look but not act (CS API § Account suspension).
    user_suspended = FORBIDDEN "M_USER_SUSPENDED",
    weak_password = BAD_REQUEST "M_WEAK_PASSWORD",
    exclusive = BAD_REQUEST "M_EXCLUSIVE",
    invalid_room_state = BAD_REQUEST "M_INVALID_ROOM_STATE",
    unsupported_room_version = BAD_REQUEST "M_UNSUPPORTED_ROOM_VERSION",
    unable_to_authorise_join = BAD_REQUEST "M_UNABLE_TO_AUTHORISE_JOIN",
    /// The request itself is well-formed but cannot be served, and no better errcode exists.
    unknown = BAD_REQUEST "M_UNKNOWN",
    /// A part of the server that the request needs (the directory, say) is away.
    unavailable = SERVICE_UNAVAILABLE "M_UNKNOWN",
}

impl MatrixError {
    pub fn new(
        status: StatusCode,
        errcode: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            errcode: errcode.into(),
            message: message.into(),
            fields: Map::new(),
            retry_after: None,
        }
    }

    /// A fault of ours: the cause goes to the log, the client learns only that it happened.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "M_UNKNOWN",
            "The server could not do this; its log says why.",
        )
    }

    /// The token is unknown or expired. With `soft_logout` the client may log in again and keep its device and keys.
    pub fn unknown_token(message: impl Into<String>, soft_logout: bool) -> Self {
        Self::unknown_token_hard(message).with("soft_logout", Value::Bool(soft_logout))
    }

    /// The account is locked; the client keeps its keys and waits (CS API § Account locking).
    pub fn user_locked(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "M_USER_LOCKED", message).with("soft_logout", Value::Bool(true))
    }

    /// Too many requests; the client may try again after `retry_after`.
    pub fn limit_exceeded(retry_after: Duration) -> Self {
        let millis = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
        let mut error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "M_LIMIT_EXCEEDED",
            "Too many requests: slow down.",
        )
        .with("retry_after_ms", Value::from(millis));
        error.retry_after = Some(retry_after);
        error
    }

    /// Adds a field to the body.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.to_owned(), value);
        self
    }

    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Says it in other words.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The error as a JSON object (CS API § Standard error response).
    pub fn body(&self) -> Value {
        let mut body = self.fields.clone();
        body.insert("errcode".to_owned(), Value::from(self.errcode.as_ref()));
        body.insert("error".to_owned(), Value::from(self.message.as_str()));
        Value::Object(body)
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn errcode(&self) -> &str {
        &self.errcode
    }

    pub fn message(&self) -> &str {
        &self.message
    }
}

impl std::fmt::Display for MatrixError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.errcode, self.message)
    }
}

impl std::error::Error for MatrixError {}

impl IntoResponse for MatrixError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body())).into_response();
        if let Some(wait) = self.retry_after {
            // Whole seconds, rounded up: a client that waits that long is let in.
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
