//! The endpoints of accounts.

mod access_tokens;
mod account;
mod account_data;
mod admin;
mod application_services;
mod bots;
mod capabilities;
mod confirm_email;
mod confirmed;
mod devices;
mod directory_password;
mod fallback;
mod filters;
mod login;
mod profile;
mod register;
mod session;
mod shared_secret;
mod sso;
mod tags;
mod threepid;

pub use self::confirmed::Confirmed;

use axum::{Router, routing};
use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Routes as _, Session};
use ruma::{UserId, api::client as api};

use crate::Accounts;

pub(crate) fn router() -> Router<Accounts> {
    sessions_router()
        .merge(account_router())
        .merge(data_router())
        .merge(threepid::router())
        .merge(fallback::router())
        .merge(sso::router())
        .merge(confirm_email::router())
        .merge(access_tokens::router())
        .merge(bots::router())
        .merge(directory_password::router())
}

/// Coming in and going out.
fn sessions_router() -> Router<Accounts> {
    Router::new()
        .ruma::<api::session::get_login_types::v3::Request, _, _>(login::list_flows)
        .ruma::<api::session::login::v3::Request, _, _>(login::log_in)
        .ruma::<api::session::get_login_token::v1::Request, _, _>(login::make_login_token)
        .ruma::<api::session::refresh_token::v3::Request, _, _>(session::refresh)
        .ruma::<api::session::logout::v3::Request, _, _>(session::log_out)
        .ruma::<api::session::logout_all::v3::Request, _, _>(session::log_out_everywhere)
        .ruma::<api::account::whoami::v3::Request, _, _>(session::whoami)
        .ruma::<api::account::register::v3::Request, _, _>(register::register)
        .ruma::<api::account::get_username_availability::v3::Request, _, _>(register::is_available)
        .ruma::<api::account::check_registration_token_validity::v1::Request, _, _>(register::is_token_valid)
        .route(
            "/_synapse/admin/v1/register",
            routing::get(shared_secret::make_nonce).post(shared_secret::register),
        )
}

/// The account itself and its devices.
fn account_router() -> Router<Accounts> {
    Router::new()
        .ruma::<api::account::change_password::v3::Request, _, _>(account::change_password)
        .ruma::<api::account::deactivate::v3::Request, _, _>(account::deactivate)
        .ruma::<api::account::request_openid_token::v3::Request, _, _>(account::make_openid_token)
        .ruma::<api::discovery::get_capabilities::v3::Request, _, _>(capabilities::capabilities)
        .ruma::<api::device::get_devices::v3::Request, _, _>(devices::list)
        .ruma::<api::device::get_device::v3::Request, _, _>(devices::get)
        .ruma::<api::device::update_device::v3::Request, _, _>(devices::rename)
        .ruma::<api::device::delete_device::v3::Request, _, _>(devices::delete)
        .ruma::<api::device::delete_devices::v3::Request, _, _>(devices::delete_several)
        .ruma::<api::admin::get_user_info::v3::Request, _, _>(admin::whois)
        .ruma::<api::admin::is_user_locked::v1::Request, _, _>(admin::is_locked)
        .ruma::<api::admin::lock_user::v1::Request, _, _>(admin::set_locked)
        .ruma::<api::admin::is_user_suspended::v1::Request, _, _>(admin::is_suspended)
        .ruma::<api::admin::suspend_user::v1::Request, _, _>(admin::set_suspended)
}

/// What the account keeps.
fn data_router() -> Router<Accounts> {
    Router::new()
        .ruma::<api::profile::get_profile::v3::Request, _, _>(profile::get)
        .ruma::<api::profile::get_profile_field::v3::Request, _, _>(profile::get_field)
        .ruma::<api::profile::set_profile_field::v3::Request, _, _>(profile::set_field)
        .ruma::<api::profile::delete_profile_field::v3::Request, _, _>(profile::delete_field)
        .ruma::<api::config::get_global_account_data::v3::Request, _, _>(account_data::get_global)
        .ruma::<api::config::set_global_account_data::v3::Request, _, _>(account_data::set_global)
        .ruma::<api::config::get_room_account_data::v3::Request, _, _>(account_data::get_for_room)
        .ruma::<api::config::set_room_account_data::v3::Request, _, _>(account_data::set_for_room)
        .ruma::<api::tag::get_tags::v3::Request, _, _>(tags::list)
        .ruma::<api::tag::create_tag::v3::Request, _, _>(tags::set)
        .ruma::<api::tag::delete_tag::v3::Request, _, _>(tags::remove)
        .ruma::<api::filter::create_filter::v3::Request, _, _>(filters::save)
        .ruma::<api::filter::get_filter::v3::Request, _, _>(filters::get)
}

/// The user of a session that touches what belongs to `user`: nobody but they themselves.
fn own(session: &Session, user: &UserId) -> Result<UserNumber, MatrixError> {
    if session.user_id == user {
        Ok(UserNumber(session.user_number))
    } else {
        Err(MatrixError::forbidden("This belongs to another user."))
    }
}
