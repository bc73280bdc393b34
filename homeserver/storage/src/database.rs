use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions as _, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Dialect, Log, Position, Row, Sql, StorageError, Tx, Value, Writer, migrate,
    sql::{AnyRow, bind_all},
};

/// How long a statement waits for another process that holds the SQLite file (a backup tool, say).
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What the operator configures (`[database]`).
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    pub max_connections: u32,
}

/// The open database: reads on a pool, writes through the [`Writer`].
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    readers: Connections,
    writer: Writer,
    log: Log,
}

#[derive(Clone)]
pub(crate) enum Connections {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Connections {
    /// Starts a transaction that writes. SQLite takes the write lock at once, so that it cannot fail half-way.
    pub(crate) async fn begin(&self) -> Result<Tx, StorageError> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::postgres(pool.begin().await?),
        })
    }

    fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

impl Database {
    /// Opens (SQLite: creates) the database, brings the schema up to date under a lock, and starts the writer.
    ///
    /// Errors: `Open`, `Migration`, and `TooNew` for a schema that only later releases understand.
    pub async fn open(options: &DatabaseOptions) -> Result<Self, StorageError> {
        let opened = |error: sqlx::Error| StorageError::Open {
            url: hide_password(&options.url),
            reason: error.to_string(),
        };
        let migrated = |error: sqlx::migrate::MigrateError| StorageError::Migration(error.to_string());
        let (readers, writer) = if options.url.starts_with("sqlite:") {
            let connect = sqlite_options(&options.url).map_err(opened)?;
            let writer = SqlitePoolOptions::new()
                .max_connections(1)
                .connect_with(connect.clone())
                .await
                .map_err(opened)?;
            migrate::SQLITE.run(&writer).await.map_err(migrated)?;
            let readers = SqlitePoolOptions::new()
                .max_connections(options.max_connections)
                .test_before_acquire(false)
                .connect_with(connect.read_only(true))
                .await
                .map_err(opened)?;
            (Connections::Sqlite(readers), Connections::Sqlite(writer))
        } else {
            let connect = PgConnectOptions::from_str(&options.url)
                .map_err(opened)?
                .application_name("echorift");
            // The ping before each use would double the cost of a point read; a lost connection fails its query instead.
            let pool = PgPoolOptions::new()
                .max_connections(options.max_connections.max(2))
                .test_before_acquire(false)
                .connect_with(connect.disable_statement_logging())
                .await
                .map_err(opened)?;
            migrate::POSTGRES.run(&pool).await.map_err(migrated)?;
            (Connections::Postgres(pool.clone()), Connections::Postgres(pool))
        };
        let visible = read_clock(&readers).await?;
        let log = Log::new(visible);
        let writer = Writer::start(writer, log.clone());
        let database = Self(Arc::new(Inner { readers, writer, log }));
        migrate::check_compatibility(&database).await?;
        Ok(database)
    }

    pub fn dialect(&self) -> Dialect {
        self.0.readers.dialect()
    }

    pub fn writer(&self) -> &Writer {
        &self.0.writer
    }

    pub fn log(&self) -> &Log {
        &self.0.log
    }

    pub async fn fetch_all(&self, sql: impl Into<Sql>, values: &[Value]) -> Result<Vec<Row>, StorageError> {
        fetch_all(&self.0.readers, sql.into(), values).await
    }

    /// The first row of the answer, if there is one.
    pub async fn fetch_optional(
        &self,
        sql: impl Into<Sql>,
        values: &[Value],
    ) -> Result<Option<Row>, StorageError> {
        Ok(self.fetch_all(sql, values).await?.into_iter().next())
    }
}

async fn fetch_all(connections: &Connections, sql: Sql, values: &[Value]) -> Result<Vec<Row>, StorageError> {
    metrics::counter!("echorift_storage_reads_total").increment(1);
    let text = sql.text(connections.dialect());
    Ok(match connections {
        Connections::Sqlite(pool) => {
            let rows = bind_all!(sqlx::query(text), values).fetch_all(pool).await?;
            rows.into_iter().map(|row| Row(AnyRow::Sqlite(row))).collect()
        }
        Connections::Postgres(pool) => {
            let rows = bind_all!(sqlx::query(text), values).fetch_all(pool).await?;
            rows.into_iter().map(|row| Row(AnyRow::Postgres(row))).collect()
        }
    })
}

async fn read_clock(connections: &Connections) -> Result<Position, StorageError> {
    let rows = fetch_all(connections, "SELECT position FROM log_clock".into(), &[]).await?;
    let row = rows
        .first()
        .ok_or_else(|| StorageError::corrupt("log_clock.position", "the row is missing"))?;
    Ok(Position(row.int(0)?))
}

fn sqlite_options(url: &str) -> Result<SqliteConnectOptions, sqlx::Error> {
    // FULL makes "acknowledged" mean "on the disk" also when the power fails; one sync is shared by a whole batch.
    Ok(SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY_TIMEOUT)
        .pragma("cache_size", "-32768")
        .pragma("temp_store", "memory")
        .disable_statement_logging())
}

fn hide_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

/// Writes a consistent copy of the SQLite database at `url` to the new file `target`, while a server may run on it.
///
/// Errors: `Open` if there is no such database, `Database` if `target` exists or cannot be written.
pub async fn backup_sqlite(url: &str, target: &Path) -> Result<(), StorageError> {
    let opened = |error: sqlx::Error| StorageError::Open {
        url: url.to_owned(),
        reason: error.to_string(),
    };
    let options = sqlite_options(url).map_err(opened)?.create_if_missing(false);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .map_err(opened)?;
    sqlx::query("VACUUM INTO $1")
        .bind(target.to_string_lossy().into_owned())
        .execute(&pool)
        .await?;
    pool.close().await;
    Ok(())
}
