//! Single sign-on in the way of `m.login.sso`, which is not offered here: people sign in by OAuth 2.0 instead.

use axum::Router;
use echorift_web::{MatrixError, Routes as _, Ruma};
use ruma::api::client::session::{sso_login, sso_login_with_provider};

use crate::Accounts;

pub(super) fn router() -> Router<Accounts> {
    Router::new()
        .ruma::<sso_login::v3::Request, _, _>(redirect)
        .ruma::<sso_login_with_provider::v3::Request, _, _>(redirect_to_provider)
}

/// `GET /_matrix/client/v3/login/sso/redirect` (CS API § SSO client login).
async fn redirect(_: Ruma<sso_login::v3::Request>) -> MatrixError {
    not_offered()
}

/// `GET /_matrix/client/v3/login/sso/redirect/{idpId}` (CS API § SSO client login): no provider has any ID here.
async fn redirect_to_provider(_: Ruma<sso_login_with_provider::v3::Request>) -> MatrixError {
    not_offered()
}

fn not_offered() -> MatrixError {
    MatrixError::not_found("There is no single sign-on of this kind here.")
}
