use echorift_storage::{Change, Timestamp};
use ruma::OwnedUserId;
use serde_json::{Map, Value};

use crate::{AccountError, Accounts, store};

/// How long the reason for an act may be.
pub const REASON_BYTES_MAX: usize = 2_000;

/// Something that an administrator does, as it is written into the audit log.
#[derive(Debug, Clone)]
pub struct Act {
    pub administrator: OwnedUserId,
    /// What is done, by a short fixed name: `user.lock`.
    pub action: &'static str,
    /// What it is done to: a user ID, a room ID, a server, the address of a file.
    pub target: String,
    pub reason: Option<String>,
    /// What else there is to know. Never a password.
    pub details: Map<String, Value>,
}

/// An act that was written down.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Grows with time.
    pub number: i64,
    pub at: Timestamp,
    pub administrator: String,
    pub action: String,
    pub target: String,
    pub reason: Option<String>,
    pub details: Value,
}

/// Which acts are looked for; what is left out is not compared.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    pub administrator: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
    /// Only those before this one.
    pub before: Option<i64>,
    pub limit: u32,
}

impl Accounts {
    /// The row that remembers an act, to be written in one commit with what the act does. Error: `TooLarge`.
    pub async fn audit(&self, act: Act) -> Result<Change, AccountError> {
        if act
            .reason
            .as_ref()
            .is_some_and(|reason| reason.len() > REASON_BYTES_MAX)
        {
            return Err(AccountError::TooLarge {
                what: "the reason",
                limit: REASON_BYTES_MAX,
            });
        }
        let number = self.0.audit_numbers.next().await?;
        let now = self.0.clock.now();
        tracing::info!(
            administrator = %act.administrator,
            action = act.action,
            target = act.target,
            "an administrator acts"
        );
        let mut change = Change::new();
        store::audit::insert(&mut change, number, now, &act);
        Ok(change)
    }

    /// The latest of these acts, latest first.
    pub async fn audit_entries(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, AccountError> {
        Ok(store::audit::page(&self.0.database, query).await?)
    }
}
