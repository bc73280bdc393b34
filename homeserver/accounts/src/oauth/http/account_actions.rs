use axum::{extract::State, response::Response};
use echorift_storage::Change;
use echorift_web::MatrixError;
use serde_json::Value;

use super::{
    account::{View, show_view},
    browser::{Browser, Page, go, go_to_login, go_with_cookie},
    login::shown_fault,
    posted::Posted,
};
use crate::{
    AccountError, Accounts,
    oauth::{browsers::SignedIn, error::OAuthError, form::Fields},
};

/// `POST /account`: does what a form of the account page asks for.
pub(super) async fn act(
    State(accounts): State<Accounts>,
    browser: Browser,
    posted: Result<Posted, OAuthError>,
) -> Result<Response, MatrixError> {
    let fields = match posted {
        Ok(Posted(fields)) if browser.sent(&fields) => fields,
        _ => return Page::stale_form(&accounts, &browser).respond(),
    };
    let (view, action) = match fields.text("do") {
        "profile" => (View::Overview, ""),
        "device_delete" => (View::DeleteDevice, "org.matrix.device_delete"),
        "password" => (View::Password, "password"),
        "reset" => (View::ResetCrossSigning, "org.matrix.cross_signing_reset"),
        "deactivate" => (View::Deactivate, "org.matrix.account_deactivate"),
        _ => return Ok(go(&accounts, "/account")),
    };
    let signed_in = match accounts.find_signed_in(&browser.cookie).await? {
        Some(signed_in) if !view.needs_proof() || signed_in.is_fresh(accounts.0.clock.now()) => signed_in,
        _ => {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("action", action)
                .append_pair("device_id", fields.text("device_id"))
                .finish();
            return Ok(go_to_login(&accounts, &format!("/account?{query}"), None));
        }
    };
    match view {
        View::Password => change_password(&accounts, &browser, &signed_in, &fields).await,
        View::DeleteDevice => {
            let device = fields.text("device_id").into();
            accounts
                .delete_devices(signed_in.account.number, &[device], Change::new())
                .await?;
            Ok(go(&accounts, "/account"))
        }
        View::ResetCrossSigning => {
            accounts
                .allow_cross_signing_reset(signed_in.account.number)
                .await?;
            Page::message(&accounts, &browser, "reset_done_title", "reset_done_text").respond()
        }
        View::Deactivate => deactivate(&accounts, &browser, &signed_in, &fields).await,
        View::Overview | View::Device => rename(&accounts, &browser, &signed_in, &fields).await,
    }
}

async fn rename(
    accounts: &Accounts,
    browser: &Browser,
    signed_in: &SignedIn,
    fields: &Fields,
) -> Result<Response, MatrixError> {
    if accounts.is_suspended(signed_in.account.number) {
        return show_view(accounts, browser, signed_in, View::Overview, fields, "suspended").await;
    }
    let name = fields.get("name").map(str::trim).filter(|name| !name.is_empty());
    let name = name.map(Value::from);
    let (user_id, number) = (&signed_in.user_id, signed_in.account.number);
    match accounts
        .set_profile_field(user_id, number, "displayname", name)
        .await
    {
        Ok(()) => Ok(go(accounts, "/account")),
        Err(AccountError::ProfileTooLarge { .. }) => {
            show_view(
                accounts,
                browser,
                signed_in,
                View::Overview,
                fields,
                "name_too_long",
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}

/// The new password ends all other sessions that the old one may have opened, on devices and in browsers.
async fn change_password(
    accounts: &Accounts,
    browser: &Browser,
    signed_in: &SignedIn,
    fields: &Fields,
) -> Result<Response, MatrixError> {
    let again = async |fault| show_view(accounts, browser, signed_in, View::Password, fields, fault).await;
    let account = &signed_in.account;
    let user = account.number;
    if !accounts.may_change_password(account) {
        return again("password_elsewhere").await;
    }
    let (old, new) = (fields.text("current"), fields.text("password"));
    if new != fields.text("repeated") {
        return again("passwords_differ").await;
    }
    let changed = match account.provider {
        Some(_) => accounts.change_directory_password(account, old, new).await,
        None => accounts.change_password(user, new, Change::new()).await,
    };
    if let Err(error) = changed {
        let (_, fault) = shown_fault(error)?;
        return again(fault).await;
    }
    if fields.get("log_out").is_some() {
        accounts.end_sessions(user, None, Change::new()).await?;
    }
    let account = accounts.load_account(user).await?;
    let cookie = accounts.sign_in(&account, &browser.cookie).await?;
    Ok(go_with_cookie(accounts, "/account", Some(&cookie)))
}

async fn deactivate(
    accounts: &Accounts,
    browser: &Browser,
    signed_in: &SignedIn,
    fields: &Fields,
) -> Result<Response, MatrixError> {
    if fields.get("understood").is_none() {
        return show_view(
            accounts,
            browser,
            signed_in,
            View::Deactivate,
            fields,
            "not_understood",
        )
        .await;
    }
    let erase = fields.get("erase").is_some();
    accounts
        .deactivate(signed_in.account.number, &signed_in.user_id, erase, Change::new())
        .await?;
    Page::message(accounts, browser, "deactivated_title", "deactivated_text").respond()
}
