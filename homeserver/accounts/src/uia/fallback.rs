//! Stages that are taken on a page of the server, for clients that do not know them (CS API § Fallback).

use echorift_storage::UserNumber;
use echorift_web::{LimitKind, MatrixError};
use ruma::api::client::uiaa::AuthType;

use super::{StageFailure, UiaSession, wrong};
use crate::{AccountError, Accounts, secret, username::localpart_of};

/// What a person gives on the page of a stage.
#[derive(Debug)]
pub(crate) enum PageStage {
    /// `m.login.dummy`: no more than the wish to go on.
    Dummy,
    /// `m.login.password`.
    Password { user: String, password: String },
    /// `m.login.registration_token`.
    RegistrationToken(String),
    /// `m.login.recaptcha`: what the challenge gives its solver.
    Recaptcha(String),
}

impl PageStage {
    fn auth_type(&self) -> AuthType {
        match self {
            Self::Dummy => AuthType::Dummy,
            Self::Password { .. } => AuthType::Password,
            Self::RegistrationToken(_) => AuthType::RegistrationToken,
            Self::Recaptcha(_) => AuthType::ReCaptcha,
        }
    }
}

impl Accounts {
    /// Whether the attempt is under way, so that its page has something to ask.
    pub(crate) fn awaits_stages(&self, id: &str) -> bool {
        self.find_stages(id).is_some()
    }

    fn find_stages(&self, id: &str) -> Option<UiaSession> {
        let now = self.0.clock.now();
        self.0.uia.0.get(id).filter(|session| session.expires > now)
    }

    /// Takes a stage for the attempt of this ID, which its client then repeats with the ID alone. Whether the stage
    /// leads anywhere is judged there.
    ///
    /// The inner error is what was wrong, as a sentence for the person. Errors: `M_NOT_FOUND` for an attempt that is
    /// unknown or over, `M_LIMIT_EXCEEDED`.
    pub(crate) async fn take_stage_by_page(
        &self,
        id: &str,
        stage: PageStage,
    ) -> Result<Result<(), String>, MatrixError> {
        let unknown = || MatrixError::not_found("This attempt is unknown or over: start again.");
        let mut session = self.find_stages(id).ok_or_else(unknown)?;
        let auth_type = stage.auth_type();
        match self.check_page_stage(&mut session, stage).await {
            Ok(()) => {}
            Err(StageFailure::Wrong(_, sentence)) => return Ok(Err(sentence)),
            Err(StageFailure::Refused(error) | StageFailure::OldPassword(error)) => return Err(error),
        }
        if !session.completed.contains(&auth_type) {
            session.completed.push(auth_type);
        }
        self.0.uia.0.insert(id.to_owned(), session);
        Ok(Ok(()))
    }

    async fn check_page_stage(&self, session: &mut UiaSession, stage: PageStage) -> Result<(), StageFailure> {
        match stage {
            PageStage::Dummy => Ok(()),
            PageStage::Password { user, password } => {
                let Some(owner) = session.user else {
                    return Err(wrong("There is no password to ask for yet."));
                };
                self.check_own_password(UserNumber(owner), &user, &password).await
            }
            PageStage::RegistrationToken(token) => {
                if !self.is_registration_token(&token) {
                    if !self.is_first_admin_token(&token).await? {
                        return Err(wrong("This registration token is not valid."));
                    }
                    session.authorised.first_admin_token = Some(secret::hash(&token));
                }
                Ok(())
            }
            PageStage::Recaptcha(response) => self.check_recaptcha(&response).await,
        }
    }

    /// Whether the password is that of the account itself. Attempts count with the log-ins of whoever is named: no
    /// second place to guess at passwords.
    ///
    /// A person of the directory may be known there by another name than here, so it is the account that must be the
    /// right one. The password of another person proves nothing about this one.
    pub(super) async fn check_own_password(
        &self,
        owner: UserNumber,
        user: &str,
        password: &str,
    ) -> Result<(), StageFailure> {
        let localpart = localpart_of(user, self.server_name());
        let localpart = localpart.ok_or_else(|| wrong("This is a name of another server."))?;
        let key = self.login_limit_key(&localpart);
        self.0
            .limits
            .check(LimitKind::Login, &key)
            .map_err(StageFailure::Refused)?;
        let account = self.check_password(&localpart, password).await?;
        if account.number == owner {
            Ok(())
        } else {
            Err(wrong("This is another person's password."))
        }
    }

    /// Asks whoever set the challenge whether it was solved.
    pub(super) async fn check_recaptcha(&self, response: &str) -> Result<(), StageFailure> {
        let Some(recaptcha) = &self.0.options.registration.recaptcha else {
            return Err(wrong("This stage is not offered."));
        };
        match recaptcha.is_solved(response).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(wrong("The challenge was not solved.")),
            Err(error) => {
                tracing::warn!(%error, "the challenge of a registration could not be checked");
                Err(AccountError::RecaptchaUnavailable.into())
            }
        }
    }
}
