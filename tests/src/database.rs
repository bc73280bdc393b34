use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::fresh;

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
    /// As `ECHORIFT_TEST_DATABASE` says.
    pub(crate) async fn create(folder: &Path) -> Self {
        match std::env::var("ECHORIFT_TEST_DATABASE").as_deref() {
            Err(_) | Ok("sqlite") => Self::Sqlite {
                url: format!("sqlite:{}", folder.join("echorift.db").display()),
            },
            Ok("postgres") => Self::create_postgres().await,
            Ok(other) => panic!("ECHORIFT_TEST_DATABASE is sqlite or postgres, not {other:?}"),
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
