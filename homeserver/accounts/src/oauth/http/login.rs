use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use echorift_web::{ClientAddress, LimitKind, MatrixError};
use http::StatusCode;
use minijinja::{Value, context};

use super::{
    browser::{Browser, Page, go_with_cookie, onward},
    posted::Posted,
};
use crate::{AccountError, Accounts, oauth::form::Fields};

/// `GET /oauth2/login`.
pub(super) async fn show(
    State(accounts): State<Accounts>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, MatrixError> {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let hint = fields.text("login_hint");
    // `mxid:@alice:example.org` (MSC4198).
    let name = hint.strip_prefix("mxid:").unwrap_or(hint);
    let page = form(&accounts, &browser, onward(&fields), name, "").await?;
    Page::new(&accounts, &browser, "login.html", page).respond()
}

/// `POST /oauth2/login`.
pub(super) async fn log_in(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    browser: Browser,
    posted: Result<Posted, crate::oauth::error::OAuthError>,
) -> Result<Response, MatrixError> {
    let Ok(Posted(fields)) = posted else {
        return Page::stale_form(&accounts, &browser).respond();
    };
    if !browser.sent(&fields) {
        return Page::stale_form(&accounts, &browser).respond();
    }
    let limited = accounts.0.limits.check(LimitKind::Login, &address.key());
    let (name, password) = (fields.text("name"), fields.text("password"));
    let proved = match limited {
        Ok(()) => accounts.prove_by_password(name, password).await,
        Err(refusal) => Err(AccountError::Limited(refusal)),
    };
    let onward = onward(&fields);
    match proved {
        Ok(account) => {
            let cookie = accounts.sign_in(&account, &browser.cookie).await?;
            Ok(go_with_cookie(&accounts, onward, Some(&cookie)))
        }
        Err(error) => {
            let (status, fault) = shown_fault(error)?;
            let page = form(&accounts, &browser, onward, name, fault).await?;
            Page::new(&accounts, &browser, "login.html", page)
                .status(status)
                .respond()
        }
    }
}

/// `POST /oauth2/logout`: ends the session of this browser, on the server's pages alone.
pub(super) async fn log_out(
    State(accounts): State<Accounts>,
    browser: Browser,
    posted: Result<Posted, crate::oauth::error::OAuthError>,
) -> Result<Response, MatrixError> {
    let fields = match posted {
        Ok(Posted(fields)) if browser.sent(&fields) => fields,
        _ => return Page::stale_form(&accounts, &browser).respond(),
    };
    accounts.sign_out(&browser.cookie).await?;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("continue", onward(&fields))
        .finish();
    Ok(go_with_cookie(&accounts, &format!("/oauth2/login?{query}"), None).into_response())
}

async fn form(
    accounts: &Accounts,
    browser: &Browser,
    onward: &str,
    name: &str,
    fault: &'static str,
) -> Result<Value, MatrixError> {
    Ok(context! {
        error => fault,
        name => name.to_owned(),
        onward => onward.to_owned(),
        csrf => browser.csrf(),
        upstreams => accounts.upstream_names(),
        can_sign_up => accounts.offers_registration().await?,
    })
}

/// The status and the name of the sentence for whoever could not be let in. Errors: what is no fault of theirs.
pub(super) fn shown_fault(error: AccountError) -> Result<(StatusCode, &'static str), AccountError> {
    Ok(match error {
        AccountError::WrongCredentials => (StatusCode::FORBIDDEN, "wrong_password"),
        AccountError::Deactivated => (StatusCode::FORBIDDEN, "deactivated"),
        AccountError::Locked => (StatusCode::FORBIDDEN, "locked"),
        AccountError::DirectoryUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "directory_away"),
        AccountError::Limited(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
        AccountError::UserInUse => (StatusCode::BAD_REQUEST, "name_taken"),
        AccountError::InvalidUsername(_) => (StatusCode::BAD_REQUEST, "bad_name"),
        AccountError::BadPassword(_) => (StatusCode::BAD_REQUEST, "bad_password"),
        AccountError::UnknownToken { .. } => (StatusCode::FORBIDDEN, "wrong_token"),
        error => return Err(error),
    })
}
