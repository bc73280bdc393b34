use axum::{Json, extract::State};
use echorift_web::{ClientAddress, LimitKind, MatrixError, Ruma};
use ruma::api::client::{
    account::{
        check_registration_token_validity, get_username_availability,
        register::{LoginType, RegistrationKind, v3},
    },
    uiaa::{AuthData, AuthType},
};
use serde_json::{Value, json};

use super::{
    application_services::{self, MaybeService},
    login::session_body,
};
use crate::{
    AccountError, Accounts, UiaRefusal,
    registration::{Made, Wish},
    sessions::SessionRequest,
    store::accounts::Account,
    uia::{Authorised, Purpose},
};

/// `POST /_matrix/client/v3/register` (CS API § Account registration).
pub(crate) async fn register(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    service: MaybeService,
    Ruma(request): Ruma<v3::Request>,
) -> Result<Json<Value>, UiaRefusal> {
    if request.kind == RegistrationKind::Guest {
        return Ok(register_guest(&accounts, address, request).await?);
    }
    if request.kind != RegistrationKind::User {
        return Err(MatrixError::invalid_param("`kind` is either \"user\" or \"guest\".").into());
    }
    if request.login_type == Some(LoginType::ApplicationService) {
        let service = service.required()?;
        return Ok(application_services::register(&accounts, service, request).await?);
    }
    let now = accounts.0.clock.now();
    let attempt = request.auth.as_ref().and_then(AuthData::session);
    // Before anything else: by now the name is taken, and with the first administrator registration may have closed.
    if let Some(attempt) = attempt
        && let Some((account, made)) = accounts.find_made(attempt, request.username.as_deref()).await?
    {
        return repeat(&accounts, &account, made, request).await;
    }
    let flows = flows(&accounts).await?;
    if flows.is_empty() {
        return Err(
            MatrixError::forbidden("Nobody can register on this server: ask your administrator.").into(),
        );
    }
    let wish = match attempt.and_then(|attempt| accounts.0.attempts.wish(attempt, now)) {
        Some(earlier) => Wish::of(&request).or(earlier),
        None => Wish::of(&request),
    };
    let guest = match wish.guest_access_token.as_deref() {
        Some(token) => Some(
            accounts
                .find_upgrading_guest(token, wish.username.as_deref())
                .await?,
        ),
        None => None,
    };
    let user_id = match guest {
        Some(guest) => accounts.user_id(&accounts.load_account(guest).await?)?,
        None => accounts.judge_new_name(wish.username.as_deref()).await?,
    };
    let purpose = Purpose {
        operation: "register",
        user: None,
    };
    if request.auth.is_some() {
        // Not for asking which stages there are: a guess at a token and a finished registration count.
        accounts.0.limits.check(LimitKind::Registration, &address.key())?;
    }
    let authorised = accounts.walk_stages(purpose, flows, request.auth.as_ref());
    let authorised = authorised.await.inspect_err(|refusal| {
        if let Some(session) = refusal.session() {
            accounts.0.attempts.remember(session, &wish, now);
        }
    })?;
    let password = wish.password.as_deref();
    let password = password.ok_or_else(|| MatrixError::missing_param("`password` is missing."))?;
    let email = authorised.email.clone();
    let account = match (guest, authorised) {
        (Some(guest), _) => accounts.upgrade_guest(guest, password).await?,
        (
            None,
            Authorised {
                first_admin_token: Some(hash),
                ..
            },
        ) => accounts.register_first_admin(&user_id, password, hash).await?,
        (
            None,
            Authorised {
                first_admin_token: None,
                ..
            },
        ) => accounts.register(&user_id, password, false).await?,
    };
    if let Some(email) = email {
        accounts.add_email(account.number, email).await?;
    }
    log_in(&accounts, &account, wish, attempt).await
}

/// Once more what a client did not hear. Its password shows that it is the same one: the ID of the session alone may
/// have gone through other hands, as part of the address of a page. Error: `M_USER_IN_USE` without the password.
async fn repeat(
    accounts: &Accounts,
    account: &Account,
    made: Made,
    request: v3::Request,
) -> Result<Json<Value>, UiaRefusal> {
    let in_use = "This account has been made: log in with its password.";
    let Some(password) = request.password.as_deref() else {
        return Err(MatrixError::user_in_use(in_use).into());
    };
    let key = accounts.login_limit_key(&account.localpart);
    accounts.0.limits.check(LimitKind::Login, &key)?;
    match accounts.check_password(&account.localpart, password).await {
        Ok(proved) if proved.number == account.number => {}
        Ok(_) | Err(AccountError::WrongCredentials) => return Err(MatrixError::user_in_use(in_use).into()),
        Err(error) => return Err(error.into()),
    }
    let mut wish = Wish::of(&request);
    wish.device_id = wish.device_id.or(made.device_id);
    let attempt = request.auth.as_ref().and_then(AuthData::session);
    log_in(accounts, account, wish, attempt).await
}

/// The answer to a registration, with a session unless none is wished for; it is remembered for who asks again.
async fn log_in(
    accounts: &Accounts,
    account: &Account,
    wish: Wish,
    attempt: Option<&str>,
) -> Result<Json<Value>, UiaRefusal> {
    let remember = |device_id| {
        let user = account.number;
        if let Some(attempt) = attempt {
            let now = accounts.0.clock.now();
            accounts
                .0
                .attempts
                .remember_made(attempt, Made { user, device_id }, now);
        }
    };
    // The account is there, whatever becomes of the session.
    remember(wish.device_id.clone());
    if wish.inhibit_login {
        let user_id = accounts.user_id(account)?;
        return Ok(Json(
            json!({ "user_id": user_id, "home_server": accounts.server_name() }),
        ));
    }
    let request = SessionRequest {
        device_id: wish.device_id,
        device_name: wish.device_name,
        wants_refresh_token: wish.refresh_token,
        client_id: None,
    };
    let opened = accounts.open_session(account, request).await?;
    remember(Some(opened.device_id.clone()));
    Ok(Json(session_body(accounts, &opened)))
}

/// A guest's account and session. Of the request only the device's name counts, and whether it wants a refresh token.
async fn register_guest(
    accounts: &Accounts,
    address: ClientAddress,
    request: v3::Request,
) -> Result<Json<Value>, MatrixError> {
    if !accounts.0.options.registration.allow_guests {
        return Err(MatrixError::guest_access_forbidden("This server has no guests."));
    }
    accounts.0.limits.check(LimitKind::Registration, &address.key())?;
    let account = accounts.register_guest().await?;
    let request = SessionRequest {
        device_id: None,
        device_name: request.initial_device_display_name,
        wants_refresh_token: request.refresh_token,
        client_id: None,
    };
    let opened = accounts.open_session(&account, request).await?;
    Ok(Json(session_body(accounts, &opened)))
}

/// The ways to an account; none if registration is closed.
async fn flows(accounts: &Accounts) -> Result<Vec<Vec<AuthType>>, MatrixError> {
    let options = &accounts.0.options.registration;
    let mut flows = Vec::new();
    if options.enabled && options.without_verification {
        flows.push(vec![AuthType::Dummy]);
    }
    if (options.enabled && options.token.is_some()) || accounts.awaits_first_admin().await? {
        flows.push(vec![AuthType::RegistrationToken]);
    }
    if accounts.registers_by_mail() {
        let with_address = flows.iter().filter(|stages| !stages.contains(&AuthType::Dummy));
        let with_address =
            with_address.map(|stages| [stages.as_slice(), &[AuthType::EmailIdentity]].concat());
        let mut with_address: Vec<_> = with_address.collect();
        if options.by_email || options.without_verification {
            with_address.push(vec![AuthType::EmailIdentity]);
        }
        flows.append(&mut with_address);
    }
    if options.recaptcha.is_some() {
        flows = flows.into_iter().map(with_challenge).collect();
    }
    Ok(flows)
}

/// The challenge first; it takes the place of no proof at all. The first administrator's way on a server that is closed
/// otherwise has it, too: it costs no more than a click.
fn with_challenge(stages: Vec<AuthType>) -> Vec<AuthType> {
    let others = stages.into_iter().filter(|stage| *stage != AuthType::Dummy);
    std::iter::once(AuthType::ReCaptcha).chain(others).collect()
}

/// `GET /_matrix/client/v3/register/available` (CS API § Account registration).
pub(crate) async fn is_available(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    Ruma(request): Ruma<get_username_availability::v3::Request>,
) -> Result<Ruma<get_username_availability::v3::Response>, MatrixError> {
    accounts.0.limits.check(LimitKind::Registration, &address.key())?;
    if flows(&accounts).await?.is_empty() {
        return Err(MatrixError::forbidden(
            "Nobody can register on this server: ask your administrator.",
        ));
    }
    accounts.judge_new_name(Some(&request.username)).await?;
    Ok(Ruma(get_username_availability::v3::Response::new(true)))
}

/// `GET /_matrix/client/v1/register/m.login.registration_token/validity` (CS API § Token-authenticated registration).
pub(crate) async fn is_token_valid(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    Ruma(request): Ruma<check_registration_token_validity::v1::Request>,
) -> Result<Ruma<check_registration_token_validity::v1::Response>, MatrixError> {
    // As costly to guess at as the registration itself.
    accounts.0.limits.check(LimitKind::Registration, &address.key())?;
    let token = request.token.as_str();
    let is_valid = accounts.is_registration_token(token) || accounts.is_first_admin_token(token).await?;
    Ok(Ruma(check_registration_token_validity::v1::Response::new(
        is_valid,
    )))
}
