//! The endpoints of the OAuth 2.0 API, and the pages that people see.

mod account;
mod account_actions;
mod authorize;
mod browser;
mod clients;
mod consent;
mod device;
mod link;
mod login;
mod metadata;
mod posted;
mod rendezvous;
mod rendezvous_2024;
mod sign_up;
mod token;
mod upstream;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use echorift_web::Routes as _;
use ruma::api::client::{discovery::get_authorization_server_metadata, rendezvous as api};

use crate::Accounts;

/// No form or registration of ours comes near it.
const BODY_BYTES_MAX: usize = 64 * 1024;

pub(crate) fn router() -> Router<Accounts> {
    client_router()
        .merge(page_router())
        .merge(rendezvous_router())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// What clients ask.
fn client_router() -> Router<Accounts> {
    Router::new()
        .ruma::<get_authorization_server_metadata::v1::Request, _, _>(metadata::get)
        .route("/.well-known/oauth-authorization-server", get(metadata::get))
        .route("/oauth2/clients", post(clients::register))
        .route("/oauth2/token", post(token::exchange))
        .route("/oauth2/revoke", post(token::revoke))
        .route("/oauth2/device", post(device::begin))
}

/// What people see.
fn page_router() -> Router<Accounts> {
    Router::new()
        .route("/oauth2/style.css", get(browser::style))
        .route("/oauth2/auth", get(authorize::ask).post(authorize::decide))
        .route("/oauth2/login", get(login::show).post(login::log_in))
        .route("/oauth2/logout", post(login::log_out))
        .route("/oauth2/sign-up", get(sign_up::show).post(sign_up::sign_up))
        .route("/oauth2/link", get(link::ask).post(link::decide))
        .route("/oauth2/upstream", get(upstream::leave_for))
        .route("/oauth2/callback", get(upstream::come_back))
        .route("/account", get(account::show).post(account_actions::act))
}

/// Where two devices meet that log one of them in.
fn rendezvous_router() -> Router<Accounts> {
    Router::new()
        .ruma::<api::discover_rendezvous::unstable::Request, _, _>(rendezvous::discover)
        .ruma::<api::create_rendezvous_session::unstable_msc4388::Request, _, _>(rendezvous::open)
        .ruma::<api::get_rendezvous_session::unstable::Request, _, _>(rendezvous::read)
        .ruma::<api::update_rendezvous_session::unstable::Request, _, _>(rendezvous::write)
        .ruma::<api::delete_rendezvous_session::unstable::Request, _, _>(rendezvous::close)
        .route(rendezvous_2024::PATH, post(rendezvous_2024::open))
        .route(
            &format!("{}/{{id}}", rendezvous_2024::PATH),
            get(rendezvous_2024::read)
                .put(rendezvous_2024::write)
                .delete(rendezvous_2024::close),
        )
}
