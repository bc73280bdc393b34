//! Mail addresses and phone numbers of accounts (CS API § Adding Account Administrative Contact Information). This
//! server confirms mail addresses itself and speaks to no identity server; it knows no phone numbers.

use axum::{Json, Router, extract::State};
use echorift_mail::Address;
use echorift_storage::UserNumber;
use echorift_web::{ClientAddress, LimitKind, MatrixError, Routes as _, Ruma, Session};
use http::StatusCode;
use ruma::{
    OwnedSessionId, SessionId, UInt,
    api::client::account::{
        ThirdPartyIdRemovalStatus, add_3pid, bind_3pid, delete_3pid, get_3pids,
        request_3pid_management_token_via_email as to_add, request_3pid_management_token_via_msisdn,
        request_password_change_token_via_email as to_reset, request_password_change_token_via_msisdn,
        request_registration_token_via_email as to_register, request_registration_token_via_msisdn,
        unbind_3pid,
    },
    thirdparty::Medium,
};
use serde_json::{Value, json};

use super::confirmed::Confirmed;
use crate::{
    AccountError, Accounts, UiaRefusal,
    email_validation::{EmailPurpose, ValidationRequest},
};

pub(super) fn router() -> Router<Accounts> {
    Router::new()
        .ruma::<get_3pids::v3::Request, _, _>(list)
        .ruma::<add_3pid::v3::Request, _, _>(add)
        .ruma::<bind_3pid::v3::Request, _, _>(bind)
        .ruma::<delete_3pid::v3::Request, _, _>(delete)
        .ruma::<unbind_3pid::v3::Request, _, _>(unbind)
        .route("/_matrix/client/v3/account/3pid", axum::routing::post(bind))
        .ruma::<to_add::v3::Request, _, _>(request_to_add)
        .ruma::<to_reset::v3::Request, _, _>(request_to_reset)
        .ruma::<to_register::v3::Request, _, _>(request_to_register)
        .ruma::<request_3pid_management_token_via_msisdn::v3::Request, _, _>(refuse_phone)
        .ruma::<request_password_change_token_via_msisdn::v3::Request, _, _>(refuse_phone)
        .ruma::<request_registration_token_via_msisdn::v3::Request, _, _>(refuse_phone)
}

/// `GET /_matrix/client/v3/account/3pid`.
async fn list(State(accounts): State<Accounts>, session: Session) -> Result<Json<Value>, MatrixError> {
    let emails = accounts.emails(UserNumber(session.user_number)).await?;
    let threepids: Vec<Value> = emails
        .into_iter()
        .map(|email| {
            json!({
                "medium": "email",
                "address": email.address,
                "validated_at": email.validated.0,
                "added_at": email.added.0,
            })
        })
        .collect();
    Ok(Json(json!({ "threepids": threepids })))
}

/// `POST /_matrix/client/v3/account/3pid/add`.
async fn add(
    State(accounts): State<Accounts>,
    session: Session,
    Confirmed(request): Confirmed<add_3pid::v3::Request>,
) -> Result<Ruma<add_3pid::v3::Response>, UiaRefusal> {
    let user = UserNumber(session.user_number);
    if !accounts.may_change_emails(user).await? {
        return Err(denied().into());
    }
    accounts
        .authorise(&session, "add_3pid", request.auth.as_ref())
        .await?;
    let (sid, secret) = (request.sid.as_str(), request.client_secret.as_str());
    let email = accounts.confirmed_email(EmailPurpose::Add, sid, secret).await?;
    accounts.add_email(user, email).await?;
    Ok(Ruma(add_3pid::v3::Response::new()))
}

/// `POST /_matrix/client/v3/account/3pid/delete`.
async fn delete(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<delete_3pid::v3::Request>,
) -> Result<Ruma<delete_3pid::v3::Response>, MatrixError> {
    let user = UserNumber(session.user_number);
    if !accounts.may_change_emails(user).await? {
        return Err(denied());
    }
    if request.medium == Medium::Email
        && let Some(address) = Address::parse(&request.address)
    {
        accounts.remove_email(user, &address).await?;
    }
    // Nothing was ever bound at an identity server.
    Ok(Ruma(delete_3pid::v3::Response::new(
        ThirdPartyIdRemovalStatus::NoSupport,
    )))
}

/// `POST /_matrix/client/v3/account/3pid/unbind`: nothing was ever bound.
async fn unbind(_: Session, Ruma(_): Ruma<unbind_3pid::v3::Request>) -> Ruma<unbind_3pid::v3::Response> {
    Ruma(unbind_3pid::v3::Response::new(
        ThirdPartyIdRemovalStatus::NoSupport,
    ))
}

/// `POST /_matrix/client/v3/account/3pid/bind`, and the older `POST /_matrix/client/v3/account/3pid`, which means the
/// same.
async fn bind(_: Session) -> MatrixError {
    let message = "This server speaks to no identity server.";
    MatrixError::new(StatusCode::BAD_REQUEST, "M_SERVER_NOT_TRUSTED", message)
}

/// `POST /_matrix/client/v3/account/3pid/email/requestToken`.
async fn request_to_add(
    State(accounts): State<Accounts>,
    client: ClientAddress,
    Ruma(request): Ruma<to_add::v3::Request>,
) -> Result<Ruma<to_add::v3::Response>, MatrixError> {
    let secret = request.client_secret.as_str();
    let asked = asked(EmailPurpose::Add, &request.email, secret, request.send_attempt)?;
    let sid = begin(&accounts, client, asked).await?;
    Ok(Ruma(to_add::v3::Response::new(sid)))
}

/// `POST /_matrix/client/v3/account/password/email/requestToken`. An address without an account is told so by mail, so
/// that nobody else learns whether it has one.
async fn request_to_reset(
    State(accounts): State<Accounts>,
    client: ClientAddress,
    Ruma(request): Ruma<to_reset::v3::Request>,
) -> Result<Ruma<to_reset::v3::Response>, MatrixError> {
    let secret = request.client_secret.as_str();
    let asked = asked(
        EmailPurpose::ResetPassword,
        &request.email,
        secret,
        request.send_attempt,
    )?;
    let sid = begin(&accounts, client, asked).await?;
    Ok(Ruma(to_reset::v3::Response::new(sid)))
}

/// `POST /_matrix/client/v3/register/email/requestToken`. An address with an account is told so by mail, so that nobody
/// else learns that it has one.
async fn request_to_register(
    State(accounts): State<Accounts>,
    client: ClientAddress,
    Ruma(request): Ruma<to_register::v3::Request>,
) -> Result<Ruma<to_register::v3::Response>, MatrixError> {
    if !accounts.registers_by_mail() {
        return Err(denied());
    }
    let secret = request.client_secret.as_str();
    let asked = asked(
        EmailPurpose::Register,
        &request.email,
        secret,
        request.send_attempt,
    )?;
    let sid = begin(&accounts, client, asked).await?;
    Ok(Ruma(to_register::v3::Response::new(sid)))
}

fn asked(
    purpose: EmailPurpose,
    email: &str,
    client_secret: &str,
    send_attempt: UInt,
) -> Result<ValidationRequest, MatrixError> {
    let address = Address::parse(email);
    Ok(ValidationRequest {
        purpose,
        address: address.ok_or_else(|| MatrixError::invalid_param("`email` is not an e-mail address."))?,
        client_secret: client_secret.to_owned(),
        send_attempt: send_attempt.into(),
    })
}

async fn begin(
    accounts: &Accounts,
    client: ClientAddress,
    request: ValidationRequest,
) -> Result<OwnedSessionId, MatrixError> {
    accounts.0.limits.check(LimitKind::Registration, &client.key())?;
    let sid = accounts.request_email_validation(request).await?;
    SessionId::parse(sid.as_str()).map_err(MatrixError::internal)
}

/// Sending a text message with a code.
async fn refuse_phone() -> MatrixError {
    let message = "Phone numbers are not known on this server.";
    MatrixError::new(StatusCode::FORBIDDEN, "M_THREEPID_DENIED", message)
}

fn denied() -> MatrixError {
    AccountError::MailOff.into()
}
