use std::time::Duration;

use axum::{Json, extract::State};
use echorift_mail::Address;
use echorift_storage::UserNumber;
use echorift_web::{Body, ClientAddress, LimitKind, MatrixError, Ruma, Session};
use ruma::{OwnedDeviceId, api::client::session::get_login_token};
use serde::Deserialize;
use serde_json::{Value, json};

use super::application_services::{MaybeService, account_to_log_in};
use crate::{
    AccountError, Accounts, PasswordWarning, UiaRefusal,
    login::ProvedAccount,
    options::milliseconds,
    sessions::{OpenedSession, SessionRequest},
    username::localpart_of,
};

/// What the specification recommends (CS API § Token-based user login).
const LOGIN_TOKEN_LIFETIME: Duration = Duration::from_secs(120);

/// `GET /_matrix/client/v3/login` (CS API § Login).
pub(crate) async fn list_flows() -> Json<Value> {
    Json(json!({ "flows": [
        { "type": "m.login.password" },
        { "type": "m.login.token", "get_login_token": true },
        { "type": "m.login.application_service" },
    ]}))
}

/// The body of a log-in. ruma's type is not used: it panics where `type` is missing.
#[derive(Debug, Deserialize)]
pub(crate) struct LoginBody {
    r#type: String,
    identifier: Option<Identifier>,
    /// Before `identifier` there was this.
    user: Option<String>,
    medium: Option<String>,
    address: Option<String>,
    password: Option<String>,
    token: Option<String>,
    device_id: Option<OwnedDeviceId>,
    initial_device_display_name: Option<String>,
    #[serde(default)]
    refresh_token: bool,
}

#[derive(Debug, Deserialize)]
struct Identifier {
    r#type: String,
    user: Option<String>,
    medium: Option<String>,
    address: Option<String>,
}

/// Who a client says it is.
enum Named {
    User(String),
    Mail(String),
}

/// `POST /_matrix/client/v3/login` (CS API § Login).
pub(crate) async fn log_in(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    service: MaybeService,
    Body(body): Body<LoginBody>,
) -> Result<Json<Value>, MatrixError> {
    let is_service = body.r#type == "m.login.application_service";
    if !is_service || service.required()?.is_rate_limited() {
        accounts.0.limits.check(LimitKind::Login, &address.key())?;
    }
    let (account, warning) = match body.r#type.as_str() {
        "m.login.password" => {
            let proved = by_password(&accounts, &body).await?;
            (proved.account, proved.warning)
        }
        "m.login.token" => {
            let token = body
                .token
                .as_deref()
                .ok_or_else(|| MatrixError::missing_param("`token` is missing."))?;
            (accounts.check_login_token(token).await?, None)
        }
        "m.login.application_service" => match named(&body)? {
            Named::User(typed) => {
                let service = service.required()?;
                (account_to_log_in(&accounts, service, &typed).await?, None)
            }
            Named::Mail(_) => return Err(MatrixError::forbidden("A service names its users by their ID.")),
        },
        other => {
            return Err(MatrixError::unknown(format!(
                "Logging in by {other} is not offered here."
            )));
        }
    };
    let request = SessionRequest {
        device_id: body.device_id,
        device_name: body.initial_device_display_name,
        wants_refresh_token: body.refresh_token,
        client_id: None,
    };
    let opened = accounts.open_session(&account, request).await?;
    let mut answer = session_body(&accounts, &opened);
    if let Some(fields) = answer.as_object_mut() {
        let base_url = accounts.0.options.public_base_url.as_str();
        fields.insert(
            "well_known".to_owned(),
            json!({ "m.homeserver": { "base_url": base_url } }),
        );
        fields.extend(warning.map(warning_field));
    }
    Ok(Json(answer))
}

/// A field of ours for clients that tell people about their passwords.
fn warning_field(warning: PasswordWarning) -> (String, Value) {
    match warning {
        PasswordWarning::ExpiresIn(seconds) => (
            "org.echorift.password_expires_in_ms".to_owned(),
            (u64::from(seconds) * 1000).into(),
        ),
        PasswordWarning::GraceLogins(left) => ("org.echorift.password_grace_logins".to_owned(), left.into()),
    }
}

async fn by_password(accounts: &Accounts, body: &LoginBody) -> Result<ProvedAccount, MatrixError> {
    let password = body
        .password
        .as_deref()
        .ok_or_else(|| MatrixError::missing_param("`password` is missing."))?;
    let localpart = match named(body)? {
        Named::User(typed) => {
            localpart_of(&typed, accounts.server_name()).ok_or(AccountError::WrongCredentials)?
        }
        // An unknown address is checked as a name, and so takes as long as a known one. No local account has an `@` in
        // its name, and a directory may let people in by their addresses.
        Named::Mail(mail) => find_localpart(accounts, &mail)
            .await?
            .unwrap_or_else(|| mail.to_lowercase()),
    };
    accounts
        .0
        .limits
        .check(LimitKind::Login, &accounts.login_limit_key(&localpart))?;
    Ok(accounts.prove_password(&localpart, password).await?)
}

/// The name of the account that has this mail address.
async fn find_localpart(accounts: &Accounts, mail: &str) -> Result<Option<String>, AccountError> {
    let Some(address) = Address::parse(mail) else {
        return Ok(None);
    };
    match accounts.find_user_by_address(&address).await? {
        Some(user) => Ok(Some(accounts.load_account(user).await?.localpart)),
        None => Ok(None),
    }
}

fn named(body: &LoginBody) -> Result<Named, MatrixError> {
    let missing = |name: &str| MatrixError::missing_param(format!("`{name}` is missing."));
    let mail = |medium: Option<&str>, address: Option<&str>| match medium {
        Some("email") => address
            .map(|address| Named::Mail(address.to_owned()))
            .ok_or_else(|| missing("address")),
        _ => Err(MatrixError::forbidden("Only e-mail addresses are known here.")),
    };
    match &body.identifier {
        Some(identifier) => match identifier.r#type.as_str() {
            "m.id.user" => identifier
                .user
                .clone()
                .map(Named::User)
                .ok_or_else(|| missing("user")),
            "m.id.thirdparty" => mail(identifier.medium.as_deref(), identifier.address.as_deref()),
            "m.id.phone" => Err(MatrixError::forbidden("Phone numbers are not known here.")),
            other => Err(MatrixError::unknown(format!(
                "Identifiers of type {other} are not understood."
            ))),
        },
        None if body.medium.is_some() => mail(body.medium.as_deref(), body.address.as_deref()),
        None => body
            .user
            .clone()
            .map(Named::User)
            .ok_or_else(|| missing("identifier")),
    }
}

/// What a client gets that has logged in or registered.
pub(super) fn session_body(accounts: &Accounts, opened: &OpenedSession) -> Value {
    let mut body = json!({
        "user_id": opened.user_id,
        // Deprecated, and still read by older clients and scripts.
        "home_server": accounts.server_name(),
        "device_id": opened.device_id,
        "access_token": opened.tokens.access_token,
        "expires_in_ms": u64::try_from(opened.tokens.expires_in.as_millis()).unwrap_or(u64::MAX),
    });
    if let (Some(token), Some(body)) = (&opened.tokens.refresh_token, body.as_object_mut()) {
        body.insert("refresh_token".to_owned(), token.as_str().into());
    }
    body
}

/// `POST /_matrix/client/v1/login/get_token` (CS API § Token-based user login).
pub(crate) async fn make_login_token(
    State(accounts): State<Accounts>,
    session: Session,
    Ruma(request): Ruma<get_login_token::v1::Request>,
) -> Result<Ruma<get_login_token::v1::Response>, UiaRefusal> {
    accounts
        .authorise(&session, "login_token", request.auth.as_ref())
        .await?;
    let expires = accounts.0.clock.now().plus_ms(milliseconds(LOGIN_TOKEN_LIFETIME));
    let login_token = accounts
        .make_login_token(UserNumber(session.user_number), expires)
        .await?;
    Ok(Ruma(get_login_token::v1::Response {
        expires_in: LOGIN_TOKEN_LIFETIME,
        login_token,
    }))
}
