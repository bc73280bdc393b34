use echorift_storage::{Database, StorageError, Timestamp, Tx};

use crate::oauth::client::ClientMetadata;

/// One row of `oauth_clients`.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) metadata: ClientMetadata,
    pub(crate) secret_hash: Option<String>,
}

/// Writes a client. A public one that is known already counts as new again, so that it is not forgotten just now.
pub(crate) async fn put(tx: &mut Tx, client: &Client, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "
        INSERT INTO oauth_clients (client_id, metadata, secret_hash, created_ts) VALUES ($1, $2, $3, $4)
        ON CONFLICT (client_id) DO UPDATE SET created_ts = excluded.created_ts,
            used_ts = CASE WHEN oauth_clients.used_ts IS NULL THEN NULL ELSE excluded.created_ts END";
    let metadata = serde_json::to_string(&client.metadata)
        .map_err(|error| StorageError::corrupt("oauth_clients.metadata", error))?;
    let values = [
        client.id.as_str().into(),
        metadata.into(),
        client.secret_hash.clone().into(),
        now.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

pub(crate) async fn find(database: &Database, client_id: &str) -> Result<Option<Client>, StorageError> {
    const SQL: &str = "SELECT metadata, secret_hash FROM oauth_clients WHERE client_id = $1";
    let Some(row) = database.fetch_optional(SQL, &[client_id.into()]).await? else {
        return Ok(None);
    };
    let metadata = serde_json::from_str(&row.text(0)?)
        .map_err(|error| StorageError::corrupt("oauth_clients.metadata", error))?;
    Ok(Some(Client {
        id: client_id.to_owned(),
        metadata,
        secret_hash: row.optional_text(1)?,
    }))
}

/// Somebody has let the client in. Error: none if the client is gone; it registers anew then.
pub(crate) async fn note_use(tx: &mut Tx, client_id: &str, now: Timestamp) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE oauth_clients SET used_ts = $2 WHERE client_id = $1";
    tx.execute(SQL, &[client_id.into(), now.into()]).await.map(drop)
}
