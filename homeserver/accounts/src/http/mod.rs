//! The endpoints of accounts.

mod login;
mod register;
mod session;
mod shared_secret;

use axum::{Router, routing};
use echorift_web::Routes as _;
use ruma::api::client::{account, session as sessions};

use crate::Accounts;

pub(crate) fn router() -> Router<Accounts> {
    Router::new()
        .ruma::<sessions::get_login_types::v3::Request, _, _>(login::list_flows)
        .ruma::<sessions::login::v3::Request, _, _>(login::log_in)
        .ruma::<sessions::refresh_token::v3::Request, _, _>(session::refresh)
        .ruma::<sessions::logout::v3::Request, _, _>(session::log_out)
        .ruma::<sessions::logout_all::v3::Request, _, _>(session::log_out_everywhere)
        .ruma::<account::whoami::v3::Request, _, _>(session::whoami)
        .ruma::<account::register::v3::Request, _, _>(register::register)
        .ruma::<account::get_username_availability::v3::Request, _, _>(register::is_available)
        .ruma::<account::check_registration_token_validity::v1::Request, _, _>(register::is_token_valid)
        .route(
            "/_synapse/admin/v1/register",
            routing::get(shared_secret::make_nonce).post(shared_secret::register),
        )
}
