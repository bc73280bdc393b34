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
use crate::{
    AccountError, Accounts, Refusal, oauth::form::Fields, store::accounts::Account, username::localpart_of,
};

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
    let page = form(&accounts, &browser, onward(&fields), name, &Fault::NONE).await?;
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
        Ok(()) => prove(&accounts, &fields, name, password).await,
        Err(refusal) => Err(AccountError::Limited(refusal).into()),
    };
    let onward = onward(&fields);
    match proved {
        Ok(account) => {
            let cookie = accounts.sign_in(&account, &browser.cookie).await?;
            Ok(go_with_cookie(&accounts, onward, Some(&cookie)))
        }
        Err(failure) => {
            let fault = failure.shown()?;
            let page = form(&accounts, &browser, onward, name, &fault).await?;
            Page::new(&accounts, &browser, "login.html", page)
                .status(fault.status)
                .respond()
        }
    }
}

/// Why somebody was not let in, and whether the form that asks for a new password is theirs.
enum Failure {
    Account(AccountError),
    PasswordsDiffer,
    /// The old password was right.
    NewPassword(AccountError),
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

/// What a person is shown who could not be let in.
struct Fault {
    status: StatusCode,
    /// The name of the sentence among the texts; empty for nothing.
    sentence: &'static str,
    /// The form asks for a new password as well.
    asks_new_password: bool,
}

impl Fault {
    const NONE: Self = Self {
        status: StatusCode::OK,
        sentence: "",
        asks_new_password: false,
    };
}

impl Failure {
    fn shown(self) -> Result<Fault, AccountError> {
        let (error, asks_new_password) = match self {
            Self::PasswordsDiffer => {
                return Ok(Fault {
                    status: StatusCode::BAD_REQUEST,
                    sentence: "passwords_differ",
                    asks_new_password: true,
                });
            }
            Self::NewPassword(error) => (error, true),
            Self::Account(AccountError::RefusedByDirectory(refusal)) => {
                (AccountError::RefusedByDirectory(refusal), refusal.may_change())
            }
            Self::Account(error) => (error, false),
        };
        let (status, sentence) = shown_fault(error)?;
        Ok(Fault {
            status,
            sentence,
            asks_new_password,
        })
    }
}

/// The account of whoever fills in the form; one with a new password in it changes the old one first.
async fn prove(accounts: &Accounts, fields: &Fields, name: &str, password: &str) -> Result<Account, Failure> {
    let new = fields.text("new_password");
    if new.is_empty() {
        return Ok(accounts.prove_by_password(name, password).await?);
    }
    if new != fields.text("repeated") {
        return Err(Failure::PasswordsDiffer);
    }
    let login = localpart_of(name.trim(), accounts.server_name());
    let login = login.ok_or(AccountError::WrongCredentials)?;
    accounts
        .change_password_before_login(&login, password, new)
        .await
        .map_err(Failure::NewPassword)?;
    Ok(accounts.prove_by_password(name, new).await?)
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
    fault: &Fault,
) -> Result<Value, MatrixError> {
    Ok(context! {
        error => fault.sentence,
        asks_new_password => fault.asks_new_password,
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
        AccountError::RefusedPassword(_) => (StatusCode::BAD_REQUEST, "refused_password"),
        AccountError::RefusedByDirectory(refusal) => (StatusCode::FORBIDDEN, refusal_sentence(refusal)),
        AccountError::DirectoryPassword => (StatusCode::FORBIDDEN, "password_elsewhere"),
        AccountError::UnknownToken { .. } => (StatusCode::FORBIDDEN, "wrong_token"),
        error => return Err(error),
    })
}

fn refusal_sentence(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Nothing => "wrong_password",
        Refusal::Locked => "locked",
        Refusal::Disabled => "account_disabled",
        Refusal::Expired => "account_expired",
        Refusal::PasswordExpired { may_change: true } => "password_expired",
        Refusal::PasswordExpired { may_change: false } => "password_expired_elsewhere",
        Refusal::PasswordMustChange { may_change: true } => "password_must_change",
        Refusal::PasswordMustChange { may_change: false } => "password_must_change_elsewhere",
    }
}
