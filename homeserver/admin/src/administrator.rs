use axum::extract::FromRequestParts;
use echorift_accounts::Act;
use echorift_storage::Change;
use echorift_web::{MatrixError, Session};
use http::request::Parts;
use ruma::{OwnedUserId, UserId};
use serde_json::{Map, Value};

use crate::Admin;

/// Who sends a request, if that is an administrator. As an extractor it refuses everybody else (`M_FORBIDDEN`).
#[derive(Debug, Clone)]
pub(crate) struct Administrator {
    pub(crate) user_id: OwnedUserId,
}

impl<S: Send + Sync> FromRequestParts<S> for Administrator {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MatrixError> {
        let session = <Session as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        if !session.is_admin {
            return Err(MatrixError::forbidden(
                "Only administrators of this server can do this.",
            ));
        }
        Ok(Self {
            user_id: session.user_id,
        })
    }
}

/// An act before it is known who does it.
#[derive(Debug)]
pub(crate) struct Deed {
    action: &'static str,
    target: String,
    reason: Option<String>,
    details: Map<String, Value>,
}

impl Deed {
    pub(crate) fn new(
        action: &'static str,
        target: &(impl ToString + ?Sized),
        reason: Option<String>,
    ) -> Self {
        Self {
            action,
            target: target.to_string(),
            reason: reason.filter(|reason| !reason.is_empty()),
            details: Map::new(),
        }
    }

    /// Adds something to know about it.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

impl Administrator {
    /// What remembers the deed, to be written in one commit with it. Error: `M_TOO_LARGE`.
    pub(crate) async fn audit(&self, admin: &Admin, deed: Deed) -> Result<Change, MatrixError> {
        let act = Act {
            administrator: self.user_id.clone(),
            action: deed.action,
            target: deed.target,
            reason: deed.reason,
            details: deed.details,
        };
        Ok(admin.accounts().audit(act).await?)
    }

    /// Remembers a deed that is done elsewhere than in the database, before it is done.
    pub(crate) async fn note(&self, admin: &Admin, deed: Deed) -> Result<(), MatrixError> {
        let remember = self.audit(admin, deed).await?;
        let written = admin.rooms().database().writer().commit(remember).await;
        written.map_err(MatrixError::internal)
    }

    /// Refuses what would shut the administrator out. Error: `M_INVALID_PARAM` with this sentence.
    pub(crate) fn check_is_another(&self, user: &UserId, sentence: &str) -> Result<(), MatrixError> {
        if self.user_id == user {
            return Err(MatrixError::invalid_param(sentence));
        }
        Ok(())
    }
}
