use subtle::ConstantTimeEq as _;

use super::{
    client::Registration,
    error::OAuthError,
    store::{self, clients::Client},
};
use crate::{AccountError, Accounts, secret};

/// A client that has just registered.
pub(crate) struct Registered {
    pub(crate) client: Client,
    /// Shown once; `None` for public clients.
    pub(crate) secret: Option<String>,
}

/// How a client shows at the token endpoint who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials<'a> {
    /// `client_id` alone.
    None,
    /// In the `Authorization` header.
    Basic(&'a str),
    /// `client_secret` in the form.
    Post(&'a str),
}

impl Accounts {
    /// Registers a client (CS API § Dynamic client registration flow). Public clients with the same metadata share
    /// an ID, which follows from it; a client with a secret is always a new one.
    pub(crate) async fn register_client(&self, registration: Registration) -> Result<Registered, OAuthError> {
        let metadata = registration.judge()?;
        let secret = (!metadata.is_public()).then(secret::random_secret);
        let id = match secret {
            Some(_) => secret::random_name(),
            None => secret::hash(&metadata.as_answer("").to_string()),
        };
        let client = Client {
            id,
            metadata,
            secret_hash: secret.as_deref().map(secret::hash),
        };
        let (row, now) = (client.clone(), self.0.clock.now());
        self.0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { store::clients::put(tx, &row, now).await }))
            .await?;
        Ok(Registered { client, secret })
    }

    pub(crate) async fn find_client(&self, client_id: &str) -> Result<Option<Client>, AccountError> {
        Ok(store::clients::find(&self.0.database, client_id).await?)
    }

    /// The client that presents itself in the way that it registered for. Error: `InvalidClient`.
    pub(crate) async fn check_client(
        &self,
        client_id: &str,
        credentials: Credentials<'_>,
    ) -> Result<Client, OAuthError> {
        let client = self
            .find_client(client_id)
            .await?
            .ok_or(OAuthError::InvalidClient)?;
        let method = client.metadata.token_endpoint_auth_method.as_str();
        let is_proved = match (method, credentials) {
            ("none", Credentials::None) => true,
            ("client_secret_basic", Credentials::Basic(secret))
            | ("client_secret_post", Credentials::Post(secret)) => client
                .secret_hash
                .as_ref()
                .is_some_and(|hash| bool::from(hash.as_bytes().ct_eq(secret::hash(secret).as_bytes()))),
            _ => false,
        };
        if is_proved {
            Ok(client)
        } else {
            Err(OAuthError::InvalidClient)
        }
    }
}
