use axum::extract::State;
use echorift_storage::{Change, UserNumber};
use echorift_web::{ClientAddress, LimitKind, MatrixError, MaybeSession, Ruma, Session};
use ruma::{
    api::client::{
        account::{ThirdPartyIdRemovalStatus, change_password, deactivate, request_openid_token},
        uiaa::{AuthData, AuthType},
    },
    authentication::TokenType,
};

use super::{confirmed::Confirmed, own};
use crate::{
    AccountError, Accounts, UiaRefusal,
    openid::OPENID_TOKEN_LIFETIME,
    uia::{CHANGE_PASSWORD, Purpose, RESET_PASSWORD},
};

/// `POST /_matrix/client/v3/account/password` (CS API § Password management).
pub(crate) async fn change_password(
    State(accounts): State<Accounts>,
    session: MaybeSession,
    client: ClientAddress,
    request: Result<Confirmed<change_password::v3::Request>, MatrixError>,
) -> Result<Ruma<change_password::v3::Response>, UiaRefusal> {
    let Some(session) = session.0 else {
        // Without a token only a whole request to reset the password is heard.
        let Ok(Confirmed(request)) = request else {
            return Err(token_is_missing().into());
        };
        return reset_password(&accounts, client, request).await;
    };
    let Confirmed(request) = request?;
    let user = UserNumber(session.user_number);
    let account = accounts.load_account(user).await?;
    if !accounts.may_change_password(&account) {
        return Err(AccountError::DirectoryPassword.into());
    }
    accounts
        .authorise(&session, CHANGE_PASSWORD, request.auth.as_ref())
        .await?;
    let new = request.new_password.as_str();
    if account.provider.is_some() {
        let old = shown_password(request.auth.as_ref()).ok_or_else(password_is_missing)?;
        accounts.change_directory_password(&account, old, new).await?;
    } else {
        accounts.change_password(user, new, Change::new()).await?;
    }
    if request.logout_devices {
        accounts
            .end_sessions(user, Some(session.session_number), Change::new())
            .await?;
    }
    Ok(Ruma(change_password::v3::Response::new()))
}

/// The password in this very request: the directory wants to see it again with the new one.
fn shown_password(auth: Option<&AuthData>) -> Option<&str> {
    match auth {
        Some(AuthData::Password(shown)) => Some(&shown.password),
        _ => None,
    }
}

fn password_is_missing() -> MatrixError {
    MatrixError::forbidden("Send the old password in the request that brings the new one.")
}

fn token_is_missing() -> MatrixError {
    MatrixError::missing_token("This endpoint needs an access token.")
}

/// The password of somebody who has forgotten it and shows that the account's e-mail address is theirs.
async fn reset_password(
    accounts: &Accounts,
    client: ClientAddress,
    request: change_password::v3::Request,
) -> Result<Ruma<change_password::v3::Response>, UiaRefusal> {
    if accounts.mailer().is_none() {
        return Err(token_is_missing().into());
    }
    accounts.0.limits.check(LimitKind::Login, &client.key())?;
    let purpose = Purpose {
        operation: RESET_PASSWORD,
        user: None,
    };
    let flows = vec![vec![AuthType::EmailIdentity]];
    let authorised = accounts
        .walk_stages(purpose, flows, request.auth.as_ref())
        .await?;
    let email = authorised.email.ok_or(AccountError::NotConfirmed)?;
    let user = accounts.reset_password(email, &request.new_password).await?;
    if request.logout_devices {
        accounts.end_sessions(user, None, Change::new()).await?;
    }
    Ok(Ruma(change_password::v3::Response::new()))
}

/// `POST /_matrix/client/v3/account/deactivate` (CS API § Account deactivation).
pub(crate) async fn deactivate(
    State(accounts): State<Accounts>,
    session: Session,
    Confirmed(request): Confirmed<deactivate::v3::Request>,
) -> Result<Ruma<deactivate::v3::Response>, UiaRefusal> {
    accounts
        .authorise(&session, "deactivate", request.auth.as_ref())
        .await?;
    accounts
        .deactivate(
            UserNumber(session.user_number),
            &session.user_id,
            request.erase,
            Change::new(),
        )
        .await?;
    // No identity server is spoken to, so nothing was bound.
    Ok(Ruma(deactivate::v3::Response::new(
        ThirdPartyIdRemovalStatus::NoSupport,
    )))
}

/// `POST /_matrix/client/v3/user/{userId}/openid/request_token` (CS API § OpenID).
pub(crate) async fn make_openid_token(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<request_openid_token::v3::Request>,
) -> Result<Ruma<request_openid_token::v3::Response>, MatrixError> {
    let user = own(&session, &request.user_id)?;
    // Each is a row that stays for an hour.
    accounts.0.limits.check_session(LimitKind::Messages, &session)?;
    Ok(Ruma(request_openid_token::v3::Response {
        access_token: accounts.make_openid_token(user).await?,
        token_type: TokenType::Bearer,
        matrix_server_name: accounts.server_name().to_owned(),
        expires_in: OPENID_TOKEN_LIFETIME,
    }))
}
