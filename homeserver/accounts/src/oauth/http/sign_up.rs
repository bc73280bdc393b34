use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use echorift_web::{ClientAddress, LimitKind, MatrixError};
use http::StatusCode;
use minijinja::{Value, context};

use super::{
    browser::{Browser, Page, go_to_login, go_with_cookie, onward},
    login::shown_fault,
    posted::Posted,
};
use crate::{
    AccountError, Accounts,
    oauth::{error::OAuthError, form::Fields},
    store::accounts::Account,
};

/// `GET /oauth2/sign-up` (CS API § User registration).
pub(super) async fn show(
    State(accounts): State<Accounts>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, MatrixError> {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    if !accounts.offers_registration().await? {
        return Ok(go_to_login(&accounts, onward(&fields), None));
    }
    let page = form(&accounts, &browser, &fields, "");
    Page::new(&accounts, &browser, "sign_up.html", page).respond()
}

/// `POST /oauth2/sign-up`.
pub(super) async fn sign_up(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    browser: Browser,
    posted: Result<Posted, OAuthError>,
) -> Result<Response, MatrixError> {
    let fields = match posted {
        Ok(Posted(fields)) if browser.sent(&fields) => fields,
        _ => return Page::stale_form(&accounts, &browser).respond(),
    };
    let limited = accounts.0.limits.check(LimitKind::Registration, &address.key());
    let made = match limited {
        Ok(()) if fields.text("password") != fields.text("repeated") => Ok(None),
        Ok(()) => make_account(&accounts, &fields).await.map(Some),
        Err(refusal) => Err(AccountError::Limited(refusal)),
    };
    let (status, fault) = match made {
        Ok(Some(account)) => {
            let cookie = accounts.sign_in(&account, &browser.cookie).await?;
            return Ok(go_with_cookie(&accounts, onward(&fields), Some(&cookie)));
        }
        Ok(None) => (StatusCode::BAD_REQUEST, "passwords_differ"),
        Err(error) => shown_fault(error)?,
    };
    let page = form(&accounts, &browser, &fields, fault);
    Page::new(&accounts, &browser, "sign_up.html", page)
        .status(status)
        .respond()
}

async fn make_account(accounts: &Accounts, fields: &Fields) -> Result<Account, AccountError> {
    let (name, password) = (fields.text("name").trim(), fields.text("password"));
    accounts.sign_up(name, password, fields.get("token")).await
}

fn form(accounts: &Accounts, browser: &Browser, fields: &Fields, error: &'static str) -> Value {
    context! {
        error,
        name => fields.text("name"),
        onward => onward(fields),
        csrf => browser.csrf(),
        needs_token => !accounts.registers_freely(),
    }
}
