use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use echorift_web::{ClientAddress, LimitKind, MatrixError};
use http::StatusCode;

use super::{
    browser::{Browser, Page, go, go_with_cookie, leave, onward},
    login::shown_fault,
};
use crate::{
    AccountError, Accounts,
    oauth::{
        form::Fields,
        upstream::{CameBack, UpstreamError},
    },
};

/// `GET /oauth2/upstream`: sends the browser to sign in elsewhere.
pub(super) async fn leave_for(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, MatrixError> {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    if let Err(refusal) = accounts.0.limits.check(LimitKind::Login, &address.key()) {
        let error = UpstreamError::Account(AccountError::Limited(refusal));
        return refuse(&accounts, &browser, error);
    }
    let place = fields.text("place").parse().unwrap_or(usize::MAX);
    match accounts
        .begin_upstream_login(place, &browser.cookie, onward(&fields))
        .await
    {
        Ok(Some(url)) => Ok(leave(url.as_str())),
        Ok(None) => Ok(go(&accounts, "/oauth2/login")),
        Err(error) => refuse(&accounts, &browser, error),
    }
}

/// `GET /oauth2/callback`: where the provider sends the browser back to.
pub(super) async fn come_back(
    State(accounts): State<Accounts>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, MatrixError> {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let came_back = finish(&accounts, &browser, &fields).await;
    match came_back {
        Ok(CameBack { account, onward }) => {
            let cookie = accounts.sign_in(&account, &browser.cookie).await?;
            Ok(go_with_cookie(&accounts, &onward, Some(&cookie)))
        }
        Err(error) => refuse(&accounts, &browser, error),
    }
}

async fn finish(accounts: &Accounts, browser: &Browser, fields: &Fields) -> Result<CameBack, UpstreamError> {
    let login = accounts
        .take_upstream_login(fields.text("state"), &browser.cookie)
        .await?;
    // RFC 9207: the answer of another provider, brought here by an attacker.
    if fields.get("iss").is_some_and(|issuer| issuer != login.issuer) {
        return Err(UpstreamError::Untrusted(
            "the answer is another issuer's".to_owned(),
        ));
    }
    if let Some(error) = fields.get("error") {
        return Err(UpstreamError::Refused(error.to_owned()));
    }
    accounts.finish_upstream_login(login, fields.text("code")).await
}

fn refuse(accounts: &Accounts, browser: &Browser, error: UpstreamError) -> Result<Response, MatrixError> {
    let (status, sentence) = match error {
        UpstreamError::Account(error) => shown_fault(error)?,
        other => {
            tracing::info!(reason = %other, "somebody could not be signed in from elsewhere");
            match other {
                UpstreamError::Stale => (StatusCode::BAD_REQUEST, "upstream_stale"),
                UpstreamError::Unavailable(_) => (StatusCode::BAD_GATEWAY, "upstream_away"),
                UpstreamError::BadName(_) => (StatusCode::FORBIDDEN, "upstream_bad_name"),
                UpstreamError::NameTaken(_) => (StatusCode::FORBIDDEN, "upstream_name_taken"),
                UpstreamError::NotInDirectory(_) => (StatusCode::FORBIDDEN, "upstream_not_in_directory"),
                _ => (StatusCode::FORBIDDEN, "upstream_refused"),
            }
        }
    };
    Page::message(accounts, browser, "upstream_title", sentence)
        .status(status)
        .respond()
}
