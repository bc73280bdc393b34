use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::fresh;

/// The kinds of databases that a server can stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
}

impl DatabaseKind {
    /// As `ECHORIFT_TEST_DATABASE` says.
    pub fn usual() -> Self {
        match std::env::var("ECHORIFT_TEST_DATABASE").as_deref() {
            Err(_) | Ok("sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok(other) => panic!("ECHORIFT_TEST_DATABASE is sqlite or postgres, not {other:?}"),
        }
    }

    /// The other kind, where there is a PostgreSQL at all (`ECHORIFT_TEST_POSTGRES`).
    pub fn other() -> Self {
        match Self::usual() {
            Self::Sqlite if std::env::var_os("ECHORIFT_TEST_POSTGRES").is_some() => Self::Postgres,
            _ => Self::Sqlite,
        }
    }
}

/// The database of one server. A PostgreSQL database is dropped with it; SQLite lies in the server's own folder.
#[derive(Debug)]
pub(crate) enum TestDatabase {
    Sqlite {
        url: String,
    },
    Postgres {
        admin_url: String,
        name: String,
        url: String,
    },
}

impl TestDatabase {
    /// As wanted, else as `ECHORIFT_TEST_DATABASE` says.
    pub(crate) async fn create(folder: &Path, wanted: Option<DatabaseKind>) -> Self {
        match wanted.unwrap_or_else(DatabaseKind::usual) {
            DatabaseKind::Sqlite => Self::Sqlite {
                url: format!("sqlite:{}", folder.join("echorift.db").display()),
            },
            DatabaseKind::Postgres => Self::create_postgres().await,
        }
    }

    async fn create_postgres() -> Self {
        let admin_url = std::env::var("ECHORIFT_TEST_POSTGRES").expect(
            "ECHORIFT_TEST_POSTGRES is to hold an administrator's URL, postgres://user@host/database",
        );
        let name = fresh(&format!("echorift_test_{}", std::process::id())).replace('-', "_");
        execute(&admin_url, format!("CREATE DATABASE {name}")).await;
        let (server, _) = admin_url.rsplit_once('/').expect("the URL names a database");
        let url = format!("{server}/{name}");
        Self::Postgres { admin_url, name, url }
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Sqlite { url } | Self::Postgres { url, .. } => url,
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Self::Postgres { admin_url, name, .. } = self else {
            return;
        };
        let (admin_url, sql) = (
            admin_url.clone(),
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        );
        // A runtime of its own: this may run inside another, which must not be blocked on.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(execute(&admin_url, sql));
        });
        let _ = dropped.join();
    }
}

async fn execute(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.expect("PostgreSQL answers");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("the administrator may do that");
}
