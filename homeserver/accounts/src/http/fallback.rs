//! Pages on which people take a stage that their client does not know (CS API § Fallback).

use axum::{
    Form, Router,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    response::{IntoResponse as _, Response},
    routing,
};
use echorift_web::{ClientAddress, InPath, LimitKind, MatrixError};
use http::{HeaderName, HeaderValue, StatusCode, header};
use minijinja::{Environment, context};
use serde::Deserialize;

use crate::{Accounts, secret, uia::PageStage};

const PAGE: &str = include_str!("fallback.html");

/// In nobody's frame; the address with its session goes no further.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];
/// Where the challenge comes from (`m.login.recaptcha`).
const RECAPTCHA_SCRIPTS: &str = "https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/";
const RECAPTCHA_FRAMES: &str = "https://www.google.com/recaptcha/ https://recaptcha.google.com/recaptcha/";

pub(super) fn router() -> Router<Accounts> {
    let mut router = Router::new();
    for version in ["r0", "v3"] {
        let path = format!("/_matrix/client/{version}/auth/{{auth_type}}/fallback/web");
        router = router.route(&path, routing::get(ask).post(take));
    }
    router
}

#[derive(Debug, Deserialize)]
struct Attempt {
    session: String,
}

/// What the forms hold: each its own fields.
#[derive(Debug, Default, Deserialize)]
struct Given {
    user: Option<String>,
    password: Option<String>,
    token: Option<String>,
    #[serde(rename = "g-recaptcha-response")]
    recaptcha: Option<String>,
}

/// `GET /_matrix/client/v3/auth/{authType}/fallback/web`.
async fn ask(
    State(accounts): State<Accounts>,
    InPath(auth_type): InPath<String>,
    attempt: Result<Query<Attempt>, QueryRejection>,
) -> Result<Response, MatrixError> {
    let Ok(Query(attempt)) = attempt else {
        return Err(MatrixError::missing_param("`session` is missing."));
    };
    if stage_of(&accounts, &auth_type, Given::default()).is_none() {
        return Err(not_offered());
    }
    if !accounts.awaits_stages(&attempt.session) {
        return page(&accounts, StatusCode::NOT_FOUND, Shown::Over);
    }
    page(
        &accounts,
        StatusCode::OK,
        Shown::Form {
            auth_type: &auth_type,
            error: None,
        },
    )
}

/// `POST` of the form to the same address.
async fn take(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    InPath(auth_type): InPath<String>,
    attempt: Result<Query<Attempt>, QueryRejection>,
    given: Result<Form<Given>, FormRejection>,
) -> Result<Response, MatrixError> {
    let Ok(Query(attempt)) = attempt else {
        return Err(MatrixError::missing_param("`session` is missing."));
    };
    let Ok(Form(given)) = given else {
        return Err(MatrixError::bad_json("The form could not be read."));
    };
    let stage = stage_of(&accounts, &auth_type, given).ok_or_else(not_offered)?;
    // As costly to guess at as where the client presents the stage itself.
    accounts.0.limits.check(LimitKind::Registration, &address.key())?;
    if !accounts.awaits_stages(&attempt.session) {
        return page(&accounts, StatusCode::NOT_FOUND, Shown::Over);
    }
    match accounts.take_stage_by_page(&attempt.session, stage).await? {
        Ok(()) => page(&accounts, StatusCode::OK, Shown::Done),
        Err(error) => page(
            &accounts,
            StatusCode::OK,
            Shown::Form {
                auth_type: &auth_type,
                error: Some(error),
            },
        ),
    }
}

/// The stage of this name with what was given for it; `None` for stages without a page.
fn stage_of(accounts: &Accounts, auth_type: &str, given: Given) -> Option<PageStage> {
    let text = Option::unwrap_or_default;
    match auth_type {
        "m.login.dummy" => Some(PageStage::Dummy),
        "m.login.password" => Some(PageStage::Password {
            user: text(given.user),
            password: text(given.password),
        }),
        "m.login.registration_token" => Some(PageStage::RegistrationToken(text(given.token))),
        "m.login.recaptcha" if accounts.0.options.registration.recaptcha.is_some() => {
            Some(PageStage::Recaptcha(text(given.recaptcha)))
        }
        _ => None,
    }
}

fn not_offered() -> MatrixError {
    MatrixError::not_found("There is no page for this stage.")
}

enum Shown<'a> {
    Form {
        auth_type: &'a str,
        error: Option<String>,
    },
    /// The client is told, in the specification's words.
    Done,
    Over,
}

fn page(accounts: &Accounts, status: StatusCode, shown: Shown<'_>) -> Result<Response, MatrixError> {
    let nonce = secret::random_name();
    let recaptcha = accounts.0.options.registration.recaptcha.as_ref();
    let (auth_type, error, is_done) = match shown {
        Shown::Form { auth_type, error } => (Some(auth_type), error, false),
        Shown::Done => (None, None, true),
        Shown::Over => (None, None, false),
    };
    let is_challenge = auth_type == Some("m.login.recaptcha");
    let values = context! {
        server => accounts.server_name().as_str(),
        auth_type, error, is_done,
        nonce => nonce.as_str(),
        public_key => recaptcha.filter(|_| is_challenge).map(|recaptcha| recaptcha.public_key.as_str()),
    };
    // The name's ending is what turns escaping on.
    let html = Environment::new().render_named_str("fallback.html", PAGE, values);
    let html = html.map_err(MatrixError::internal)?;
    let (scripts, frames) = if is_challenge {
        (RECAPTCHA_SCRIPTS, RECAPTCHA_FRAMES)
    } else {
        ("", "'none'")
    };
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}' {scripts}; frame-src {frames}; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    let policy = HeaderValue::from_str(&policy).map_err(MatrixError::internal)?;
    let mut response = (status, HEADERS, html).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}
