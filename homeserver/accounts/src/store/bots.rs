use echorift_storage::{Database, Row, StorageError, Timestamp, Tx, UserNumber};

/// A bot that has not ended.
#[derive(Debug, Clone)]
pub(crate) struct StoredBot {
    pub(crate) user: UserNumber,
    pub(crate) localpart: String,
    pub(crate) owner: UserNumber,
    pub(crate) created: Timestamp,
}

/// Spells out a query for bots.
macro_rules! bots_where {
    ($condition:literal) => {
        concat!(
            "SELECT bots.user_number, localpart, owner_number, bots.created_ts
               FROM bots JOIN accounts ON accounts.user_number = bots.user_number
              WHERE deactivated_ts IS NULL AND ",
            $condition
        )
    };
}

fn read(row: &Row) -> Result<StoredBot, StorageError> {
    Ok(StoredBot {
        user: UserNumber(row.int(0)?),
        localpart: row.text(1)?,
        owner: UserNumber(row.int(2)?),
        created: Timestamp(row.int(3)?),
    })
}

pub(crate) async fn insert(
    tx: &mut Tx,
    (bot, owner): (UserNumber, UserNumber),
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "INSERT INTO bots (user_number, owner_number, created_ts) VALUES ($1, $2, $3)";
    tx.execute(SQL, &[bot.into(), owner.into(), now.into()])
        .await
        .map(drop)
}

/// The bots of one person, in the order in which they were made.
pub(crate) async fn of_owner(database: &Database, owner: UserNumber) -> Result<Vec<StoredBot>, StorageError> {
    let sql = bots_where!("owner_number = $1 ORDER BY bots.created_ts, bots.user_number");
    let rows = database.fetch_all(sql, &[owner.into()]).await?;
    rows.iter().map(read).collect()
}

/// As [`of_owner`], their numbers alone and inside a step.
pub(crate) async fn numbers_of_owner(
    tx: &mut Tx,
    owner: UserNumber,
) -> Result<Vec<UserNumber>, StorageError> {
    const SQL: &str = "
        SELECT bots.user_number FROM bots JOIN accounts ON accounts.user_number = bots.user_number
         WHERE owner_number = $1 AND deactivated_ts IS NULL ORDER BY bots.user_number";
    let rows = tx.fetch_all(SQL, &[owner.into()]).await?;
    rows.iter().map(|row| row.int(0).map(UserNumber)).collect()
}

pub(crate) async fn find(database: &Database, bot: UserNumber) -> Result<Option<StoredBot>, StorageError> {
    let row = database
        .fetch_optional(bots_where!("bots.user_number = $1"), &[bot.into()])
        .await?;
    row.as_ref().map(read).transpose()
}

/// A page of all bots, by number, behind `after`.
pub(crate) async fn page(
    database: &Database,
    after: UserNumber,
    limit: i64,
) -> Result<Vec<StoredBot>, StorageError> {
    let sql = bots_where!("bots.user_number > $1 ORDER BY bots.user_number LIMIT $2");
    let rows = database.fetch_all(sql, &[after.into(), limit.into()]).await?;
    rows.iter().map(read).collect()
}
