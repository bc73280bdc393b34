use std::sync::Arc;

use echorift_accounts::{AccountError, Accounts, GlobalAccountData, default_push_rules, push_rules_content};
use echorift_storage::UserNumber;
use ruma::{UserId, push::Ruleset};
use serde::Deserialize;
use serde_json::value::to_raw_value;
use tokio::sync::Mutex;

/// The account data that holds a user's rules.
pub(crate) const DATA_TYPE: &str = "m.push_rules";
/// Changes of one user's rules take turns; users share this many turns between them.
const TURNS: usize = 64;

/// The content of `m.push_rules`.
#[derive(Deserialize)]
struct Content {
    global: Ruleset,
}

/// The rules that the user has changed, brought up to date with the server's defaults of now; `None` for who has changed
/// nothing.
pub(crate) fn rules_in(data: &GlobalAccountData, user_id: &UserId) -> Option<Ruleset> {
    let stored = data.get(DATA_TYPE)?;
    let mut rules = serde_json::from_str::<Content>(stored.content.get()).ok()?.global;
    let mut defaults = default_push_rules(user_id);
    // No client may add rules of this kind (MSC4306), so what it holds are defaults, switched on or off.
    for mut rule in std::mem::take(&mut defaults.postcontent) {
        if let Some(known) = rules.postcontent.get(rule.rule_id.as_str()) {
            rule.enabled = known.enabled;
            rule.actions.clone_from(&known.actions);
        }
        defaults.postcontent.insert(rule);
    }
    rules.postcontent = std::mem::take(&mut defaults.postcontent);
    rules.update_with_server_default(defaults);
    Some(rules)
}

/// The users' push rules (CS API § Push rules). They are stored as account data, so that every device learns of a
/// change in its sync. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PushRules {
    accounts: Accounts,
    /// Held from reading the rules to the commit of their change, so that two changes at once both count.
    turns: Arc<Vec<Mutex<()>>>,
}

impl PushRules {
    pub fn new(accounts: Accounts) -> Self {
        Self {
            accounts,
            turns: Arc::new((0..TURNS).map(|_| Mutex::default()).collect()),
        }
    }

    /// The user's rules; the server's default ones until something was changed.
    pub async fn of(&self, user: UserNumber, user_id: &UserId) -> Result<Ruleset, AccountError> {
        let data = self.accounts.global_account_data(user).await?;
        Ok(rules_in(&data, user_id).unwrap_or_else(|| default_push_rules(user_id)))
    }

    /// Changes the user's rules as `change` says, unless it refuses. The outer error is of the storage.
    pub async fn change<E>(
        &self,
        (user, user_id): (UserNumber, &UserId),
        change: impl FnOnce(&mut Ruleset) -> Result<(), E>,
    ) -> Result<Result<(), E>, AccountError> {
        let turn = usize::try_from(user.0.unsigned_abs()).unwrap_or_default() % TURNS;
        let _turn = match self.turns.get(turn) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let mut global = self.of(user, user_id).await?;
        if let Err(refusal) = change(&mut global) {
            return Ok(Err(refusal));
        }
        let content = push_rules_content(&global).and_then(|content| to_raw_value(&content));
        let content = content.map_err(|_| AccountError::TooLarge {
            what: "the push rules",
            limit: 0,
        })?;
        self.accounts
            .set_global_account_data(user, DATA_TYPE, content)
            .await?;
        Ok(Ok(()))
    }
}
