//! The page behind the link of a letter. Opening it changes nothing, because mail scanners open every link; only the
//! form on it confirms.

use axum::{
    Form, Router,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    response::{IntoResponse as _, Response},
    routing,
};
use echorift_web::MatrixError;
use http::{HeaderName, StatusCode, header};
use minijinja::{Environment, context};
use serde::Deserialize;

use crate::{Accounts, email_validation::CONFIRM_PATH};

const PAGE: &str = include_str!("confirm_email.html");

/// No script, nothing from elsewhere, in nobody's frame; the link with its token goes no further.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) fn router() -> Router<Accounts> {
    Router::new().route(CONFIRM_PATH, routing::get(ask).post(confirm))
}

/// What the link holds, and the form repeats.
#[derive(Debug, Deserialize)]
struct Link {
    sid: String,
    token: String,
}

/// `GET /_echorift/email/confirm`.
async fn ask(
    State(accounts): State<Accounts>,
    link: Result<Query<Link>, QueryRejection>,
) -> Result<Response, MatrixError> {
    let Ok(Query(link)) = link else {
        return over();
    };
    match accounts.find_address_to_confirm(&link.sid, &link.token).await? {
        Some(address) => {
            let text = format!(
                "Is {address} your e-mail address, and did you ask {} for this?",
                accounts.server_name()
            );
            page(StatusCode::OK, "Confirm your e-mail address", &text, Some(&link))
        }
        None => over(),
    }
}

/// `POST /_echorift/email/confirm`.
async fn confirm(
    State(accounts): State<Accounts>,
    link: Result<Form<Link>, FormRejection>,
) -> Result<Response, MatrixError> {
    let Ok(Form(link)) = link else {
        return over();
    };
    if accounts.confirm_address(&link.sid, &link.token).await? {
        let text = "Go back to where you asked for it; you can close this page.";
        page(StatusCode::OK, "Your e-mail address is confirmed", text, None)
    } else {
        over()
    }
}

fn over() -> Result<Response, MatrixError> {
    let text = "It was used already, is too old, or a newer letter has replaced it. Ask for another one.";
    page(StatusCode::BAD_REQUEST, "This link is not valid", text, None)
}

fn page(status: StatusCode, title: &str, text: &str, form: Option<&Link>) -> Result<Response, MatrixError> {
    let values = context! {
        title,
        text,
        sid => form.map(|link| link.sid.as_str()),
        token => form.map(|link| link.token.as_str()),
    };
    // The name's ending is what turns escaping on.
    let html = Environment::new().render_named_str("confirm_email.html", PAGE, values);
    let html = html.map_err(MatrixError::internal)?;
    Ok((status, HEADERS, html).into_response())
}
