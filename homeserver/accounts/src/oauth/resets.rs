use std::time::Duration;

use echorift_storage::UserNumber;
use echorift_web::{MatrixError, Session};
use ruma::api::client::uiaa::AuthData;
use serde_json::{Map, Value, json};

use super::store;
use crate::{AccountError, Accounts, UiaRefusal, options::milliseconds, store as accounts_store};

/// How long cross-signing keys may be replaced after their owner has confirmed it.
const RESET_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The stage of a confirmation on the server's pages, and what it was called at first (MSC4312).
const OAUTH_STAGES: [&str; 2] = ["m.oauth", "org.matrix.cross_signing_reset"];

impl Accounts {
    /// Whether the user has confirmed of late, on the server's own pages, that their cross-signing keys may be
    /// replaced.
    pub async fn cross_signing_reset_allowed(&self, user: UserNumber) -> Result<bool, AccountError> {
        let now = self.0.clock.now();
        Ok(store::resets::is_allowed(&self.0.database, user, now).await?)
    }

    /// Allows the user to replace their cross-signing keys for ten minutes.
    pub(crate) async fn allow_cross_signing_reset(&self, user: UserNumber) -> Result<(), AccountError> {
        let expires = self.0.clock.now().plus_ms(milliseconds(RESET_LIFETIME));
        let allowed = self
            .0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { store::resets::allow(tx, user, expires).await }));
        allowed.await.map_err(AccountError::Storage)
    }

    /// Has the person behind `session` confirm that their cross-signing keys are replaced: by password, or, if an
    /// OAuth client asks, on the server's pages (CS API § OAuth authentication).
    pub async fn authorise_cross_signing_reset(
        &self,
        session: &Session,
        auth: Option<&AuthData>,
    ) -> Result<(), UiaRefusal> {
        if !self.is_oauth_session(session).await? {
            return self.authorise(session, "device_signing_upload", auth).await;
        }
        let user = UserNumber(session.user_number);
        if self.cross_signing_reset_allowed(user).await? {
            return Ok(());
        }
        let flows: Value = OAUTH_STAGES
            .iter()
            .map(|stage| json!({ "stages": [stage] }))
            .collect();
        let url = self.account_page("org.matrix.cross_signing_reset");
        let params = OAUTH_STAGES.map(|stage| (stage.to_owned(), json!({ "url": url })));
        let id = auth.and_then(AuthData::session);
        // There is nothing to be remembered: the confirmation is the user's, not the attempt's.
        let id = id.map_or_else(crate::secret::random_name, ToOwned::to_owned);
        let params: Map<String, Value> = params.into_iter().collect();
        Err(UiaRefusal::Elsewhere(
            json!({ "flows": flows, "params": params, "session": id, "completed": [] }),
        ))
    }

    /// Whether the session was opened by an OAuth client, which cannot take part in other stages (CS API § OAuth 2.0
    /// API).
    pub(crate) async fn is_oauth_session(&self, session: &Session) -> Result<bool, AccountError> {
        let client = accounts_store::sessions::client_of(&self.0.database, session.session_number).await?;
        Ok(client.is_some())
    }

    /// What an OAuth client is told where it would have to ask for a password.
    pub(crate) fn refuse_oauth_stages(&self) -> MatrixError {
        MatrixError::forbidden(format!(
            "Apps that signed in by the browser cannot do this: do it at {}",
            self.page_url("/account")
        ))
    }

    /// The address of the account page that offers an action.
    fn account_page(&self, action: &str) -> String {
        format!("{}?action={action}", self.page_url("/account"))
    }

    /// The public address of a page.
    pub(crate) fn page_url(&self, path: &str) -> String {
        let base = self.0.options.public_base_url.trim_end_matches('/');
        format!("{base}{path}")
    }
}
