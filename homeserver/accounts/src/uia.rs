mod fallback;

pub(crate) use self::fallback::PageStage;

use axum::response::{IntoResponse, Response};
use echorift_storage::{Timestamp, UserNumber};
use echorift_web::{MatrixError, Session};
use http::StatusCode;
use quick_cache::sync::Cache;
use ruma::api::client::uiaa::{AuthData, AuthType, UserIdentifier};
use serde_json::{Value, json};

use crate::{
    AccountError, Accounts,
    email_validation::{ConfirmedEmail, EmailPurpose},
    secret,
};

/// How long a person may take for all stages.
const SESSION_LIFETIME_MS: i64 = 15 * 60 * 1000;
/// How many attempts may be open at once; the oldest make room.
const SESSIONS_MAX: usize = 10_000;

/// The operation for which an expired password is good enough.
pub(crate) const CHANGE_PASSWORD: &str = "change_password";
/// The operation of somebody without a session who has forgotten the password.
pub(crate) const RESET_PASSWORD: &str = "reset_password";

/// Why a request that needs more than a token was not let through.
#[derive(Debug, Clone)]
pub enum UiaRefusal {
    /// 401 with what is to be done next (CS API § User-Interactive Authentication API).
    Challenge(Box<Challenge>),
    /// As before, for a stage that is taken elsewhere: the whole body.
    Elsewhere(Value),
    Refused(MatrixError),
}

/// Which stages there are and which are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    flows: Vec<Vec<AuthType>>,
    session: String,
    completed: Vec<AuthType>,
    /// What `m.login.recaptcha` is shown by, where it is among the stages.
    recaptcha_key: Option<String>,
    /// What was wrong with the stage just tried: errcode and sentence.
    error: Option<(&'static str, String)>,
}

impl UiaRefusal {
    /// The session in which the client is to go on, if it is asked for stages.
    pub(crate) fn session(&self) -> Option<&str> {
        match self {
            Self::Challenge(challenge) => Some(&challenge.session),
            Self::Elsewhere(_) | Self::Refused(_) => None,
        }
    }
}

impl IntoResponse for UiaRefusal {
    fn into_response(self) -> Response {
        let challenge = match self {
            Self::Refused(error) => return error.into_response(),
            Self::Elsewhere(body) => return (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response(),
            Self::Challenge(challenge) => challenge,
        };
        let names = |stages: &[AuthType]| {
            stages
                .iter()
                .map(|stage| Value::from(stage.as_str()))
                .collect::<Value>()
        };
        let flows: Value = challenge
            .flows
            .iter()
            .map(|stages| json!({ "stages": names(stages) }))
            .collect();
        let mut params = serde_json::Map::new();
        if let Some(key) = &challenge.recaptcha_key {
            params.insert(AuthType::ReCaptcha.to_string(), json!({ "public_key": key }));
        }
        let mut body = json!({
            "flows": flows,
            "params": params,
            "session": challenge.session,
            "completed": names(&challenge.completed),
        });
        if let (Some((errcode, sentence)), Some(body)) = (challenge.error, body.as_object_mut()) {
            body.insert("errcode".to_owned(), errcode.into());
            body.insert("error".to_owned(), sentence.into());
        }
        (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response()
    }
}

impl From<MatrixError> for UiaRefusal {
    fn from(error: MatrixError) -> Self {
        Self::Refused(error)
    }
}

impl From<AccountError> for UiaRefusal {
    fn from(error: AccountError) -> Self {
        Self::Refused(error.into())
    }
}

/// What is to be authorised: a session of stages is good for one operation of one user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purpose<'a> {
    /// With what it is done to, where that is named in the request.
    pub(crate) operation: &'a str,
    /// Absent for registrations.
    pub(crate) user: Option<&'a Session>,
}

/// What the stages have shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Authorised {
    /// Hash of the first administrator's token, if that was used.
    pub(crate) first_admin_token: Option<String>,
    /// The address that was confirmed, if one was.
    pub(crate) email: Option<ConfirmedEmail>,
}

/// The attempts under way, in this process's memory: a person starts anew after a restart.
pub(crate) struct UiaSessions(Cache<String, UiaSession>);

#[derive(Clone)]
struct UiaSession {
    operation: String,
    user: Option<i64>,
    completed: Vec<AuthType>,
    authorised: Authorised,
    expires: Timestamp,
}

impl UiaSessions {
    pub(crate) fn new() -> Self {
        Self(Cache::new(SESSIONS_MAX))
    }

    pub(crate) fn forget_expired(&self, now: Timestamp) {
        self.0.retain(|_, session| session.expires > now);
    }
}

/// The outcome of one stage: errcode and sentence for the person, or a refusal of the whole request.
enum StageFailure {
    Wrong(&'static str, String),
    Refused(MatrixError),
    /// The password is right, and good for nothing but to be changed.
    OldPassword(MatrixError),
}

impl From<AccountError> for StageFailure {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::WrongCredentials => Self::Wrong("M_FORBIDDEN", "The password is wrong.".to_owned()),
            error @ AccountError::NotConfirmed => Self::Wrong(
                "M_THREEPID_AUTH_FAILED",
                MatrixError::from(error).message().to_owned(),
            ),
            AccountError::RefusedByDirectory(refusal) if refusal.may_change() => {
                Self::OldPassword(AccountError::RefusedByDirectory(refusal).into())
            }
            error => Self::Refused(error.into()),
        }
    }
}

impl Accounts {
    /// Has the person behind `session` prove once more who they are: `m.login.password`.
    ///
    /// `operation` names what they want to do; what they prove is good for that alone, once.
    pub async fn authorise(
        &self,
        session: &Session,
        operation: &str,
        auth: Option<&AuthData>,
    ) -> Result<(), UiaRefusal> {
        // A service has shown its token, and there is nothing else that it could show (AS API § Device management,
        // § Cross-signing).
        if session.service.is_some() {
            return Ok(());
        }
        if self.is_oauth_session(session).await? {
            return Err(self.refuse_oauth_stages().into());
        }
        let purpose = Purpose {
            operation,
            user: Some(session),
        };
        self.walk_stages(purpose, vec![vec![AuthType::Password]], auth)
            .await
            .map(drop)
    }

    /// Takes the stage that the client presents, if any, and lets the request through once one of `flows` is done.
    pub(crate) async fn walk_stages(
        &self,
        purpose: Purpose<'_>,
        flows: Vec<Vec<AuthType>>,
        auth: Option<&AuthData>,
    ) -> Result<Authorised, UiaRefusal> {
        let now = self.0.clock.now();
        let user = purpose.user.map(|session| session.user_number);
        let new = || UiaSession {
            operation: purpose.operation.to_owned(),
            user,
            completed: Vec::new(),
            authorised: Authorised::default(),
            expires: now.plus_ms(SESSION_LIFETIME_MS),
        };
        let challenge = |id: String, session: UiaSession, error| {
            let completed = session.completed.clone();
            self.0.uia.0.insert(id.clone(), session);
            let recaptcha = &self.0.options.registration.recaptcha;
            let is_asked = flows.iter().flatten().any(|stage| *stage == AuthType::ReCaptcha);
            let recaptcha = recaptcha.as_ref().filter(|_| is_asked);
            Err(UiaRefusal::Challenge(Box::new(Challenge {
                recaptcha_key: recaptcha.map(|recaptcha| recaptcha.public_key.clone()),
                flows: flows.clone(),
                session: id,
                completed,
                error,
            })))
        };
        let Some(auth) = auth else {
            return challenge(secret::random_name(), new(), None);
        };
        let (id, mut session) = match auth.session() {
            None => (secret::random_name(), new()),
            Some(id) => {
                let known = self.0.uia.0.get(id);
                match known.filter(|known| known.user == user && known.expires > now) {
                    Some(known) if known.operation != purpose.operation => {
                        return Err(UiaRefusal::Refused(MatrixError::forbidden(
                            "This session was begun for another request: start again.",
                        )));
                    }
                    Some(known) => (id.to_owned(), known),
                    None => {
                        let error = (
                            "M_FORBIDDEN",
                            "This session is unknown or over: start again.".to_owned(),
                        );
                        return challenge(secret::random_name(), new(), Some(error));
                    }
                }
            }
        };
        if let Some(stage) = auth.auth_type() {
            if !flows.iter().flatten().any(|known| *known == stage) {
                let error = (
                    "M_FORBIDDEN",
                    format!("{stage} is not among the stages that lead here."),
                );
                return challenge(id, session, Some(error));
            }
            // What is done is not tried again: a challenge, for one, is good for a single solution.
            let outcome = if session.completed.contains(&stage) {
                Ok(())
            } else {
                self.check_stage(purpose, auth, &mut session.authorised).await
            };
            match outcome {
                Ok(()) if session.completed.contains(&stage) => {}
                Ok(()) => session.completed.push(stage),
                Err(StageFailure::Wrong(errcode, sentence)) => {
                    return challenge(id, session, Some((errcode, sentence)));
                }
                Err(StageFailure::Refused(error) | StageFailure::OldPassword(error)) => {
                    return Err(UiaRefusal::Refused(error));
                }
            }
        }
        if flows
            .iter()
            .any(|stages| stages.iter().all(|stage| session.completed.contains(stage)))
        {
            self.0.uia.0.remove(&id);
            return Ok(session.authorised);
        }
        challenge(id, session, None)
    }

    async fn check_stage(
        &self,
        purpose: Purpose<'_>,
        auth: &AuthData,
        authorised: &mut Authorised,
    ) -> Result<(), StageFailure> {
        match auth {
            AuthData::Dummy(_) => Ok(()),
            AuthData::Password(password) => {
                let Some(user) = purpose.user else {
                    return Err(wrong("There is no password to ask for yet."));
                };
                let UserIdentifier::Matrix(named) = &password.identifier else {
                    return Err(wrong("Only user names are understood here."));
                };
                let owner = UserNumber(user.user_number);
                match self
                    .check_own_password(owner, &named.user, &password.password)
                    .await
                {
                    // The directory compares it with the owner's once more when it takes the new one.
                    Err(StageFailure::OldPassword(_)) if purpose.operation == CHANGE_PASSWORD => Ok(()),
                    outcome => outcome,
                }
            }
            AuthData::ReCaptcha(challenge) => self.check_recaptcha(&challenge.response).await,
            AuthData::RegistrationToken(token) => {
                if self.is_registration_token(&token.token) {
                    return Ok(());
                }
                if self.is_first_admin_token(&token.token).await? {
                    authorised.first_admin_token = Some(secret::hash(&token.token));
                    return Ok(());
                }
                Err(wrong("This registration token is not valid."))
            }
            AuthData::EmailIdentity(identity) => {
                let (sid, secret) = {
                    let credentials = &identity.thirdparty_id_creds;
                    (credentials.sid.as_str(), credentials.client_secret.as_str())
                };
                let wanted = match purpose.operation {
                    "register" => EmailPurpose::Register,
                    RESET_PASSWORD => EmailPurpose::ResetPassword,
                    _ => return Err(wrong("This stage is not offered.")),
                };
                authorised.email = Some(self.confirmed_email(wanted, sid, secret).await?);
                Ok(())
            }
            _ => Err(wrong("This stage is not offered.")),
        }
    }
}

fn wrong(sentence: &str) -> StageFailure {
    StageFailure::Wrong("M_FORBIDDEN", sentence.to_owned())
}
