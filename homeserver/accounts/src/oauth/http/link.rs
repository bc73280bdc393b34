use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use echorift_web::{LimitKind, MatrixError};
use http::StatusCode;
use minijinja::context;

use super::{
    browser::{Browser, Page, go_to_login},
    consent::Question,
    posted::Posted,
};
use crate::{
    Accounts,
    oauth::{
        devices::{read_user_code, shown},
        error::OAuthError,
        form::Fields,
    },
};

/// `GET /oauth2/link` (RFC 8628 § 3.3): asks for the code that a device shows, then whether to let the device in.
pub(super) async fn ask(
    State(accounts): State<Accounts>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, MatrixError> {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let typed = fields.text("user_code");
    let Some(signed_in) = accounts.find_signed_in(&browser.cookie).await? else {
        let query = fields.query_without("");
        return Ok(go_to_login(&accounts, &format!("/oauth2/link?{query}"), None));
    };
    let form = |status: StatusCode, error: &'static str| {
        let page = context! { error, typed => typed.to_owned() };
        Page::new(&accounts, &browser, "link.html", page)
            .status(status)
            .respond()
    };
    if typed.is_empty() {
        return form(StatusCode::OK, "");
    }
    // Guesses count with the log-ins of whoever makes them.
    let key = format!("device code {}", signed_in.user_id);
    if accounts.0.limits.check(LimitKind::Login, &key).is_err() {
        return form(StatusCode::TOO_MANY_REQUESTS, "too_many");
    }
    let Some((waiting, client)) = accounts.find_waiting_device(typed).await? else {
        return form(StatusCode::NOT_FOUND, "wrong_code");
    };
    let code = read_user_code(typed).unwrap_or_default();
    let question = Question {
        client: &client.metadata,
        signed_in: &signed_in,
        device_id: &waiting.device_id,
        action: "/oauth2/link",
        field: ("user_code", &code),
        onward: format!("/oauth2/link?user_code={code}"),
    };
    let page = context! { code => shown(&code), ..question.page(&browser) };
    Page::new(&accounts, &browser, "consent.html", page).respond()
}

/// `POST /oauth2/link`: what the person said.
pub(super) async fn decide(
    State(accounts): State<Accounts>,
    browser: Browser,
    posted: Result<Posted, OAuthError>,
) -> Result<Response, MatrixError> {
    let fields = match posted {
        Ok(Posted(fields)) if browser.sent(&fields) => fields,
        _ => return Page::stale_form(&accounts, &browser).respond(),
    };
    let typed = fields.text("user_code");
    let Some(signed_in) = accounts.find_signed_in(&browser.cookie).await? else {
        let code = read_user_code(typed).unwrap_or_default();
        return Ok(go_to_login(
            &accounts,
            &format!("/oauth2/link?user_code={code}"),
            None,
        ));
    };
    let is_allowed = fields.text("decision") == "allow";
    let user = signed_in.account.number;
    let (title, sentence) = match (
        accounts.decide_on_device(typed, user, is_allowed).await?,
        is_allowed,
    ) {
        (true, true) => ("device_allowed_title", "device_allowed_text"),
        (true, false) => ("device_denied_title", "device_denied_text"),
        (false, _) => ("device_gone_title", "device_gone_text"),
    };
    Page::message(&accounts, &browser, title, sentence).respond()
}
