use echorift_storage::{Database, DatabaseOptions};
use sqlx::{Connection as _, PgConnection};

/// A database of a test's own.
pub(crate) struct TestDatabase {
    pub(crate) database: Database,
    /// The name and the administrator's URL, if it is to be dropped at the end.
    postgres: Option<(String, String)>,
    pub(crate) folder: std::sync::Arc<tempfile::TempDir>,
}

impl TestDatabase {
    pub(crate) async fn sqlite() -> Self {
        let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let database = Database::open(&DatabaseOptions {
            url,
            max_connections: 4,
        })
        .await
        .unwrap();
        Self {
            database,
            postgres: None,
            folder,
        }
    }

    /// `None` where no PostgreSQL is at hand; in CI that fails.
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(admin_url) = std::env::var("ECHORIFT_TEST_POSTGRES") else {
            assert!(
                std::env::var_os("CI").is_none(),
                "ECHORIFT_TEST_POSTGRES is not set"
            );
            eprintln!(
                "not run on PostgreSQL: set ECHORIFT_TEST_POSTGRES=postgres://admin@host/postgres, or `make test`"
            );
            return None;
        };
        let name = format!("accounts_{}", crate::secret::random_letters(16).to_lowercase());
        run(&admin_url, format!("CREATE DATABASE {name}")).await;
        let (server, _) = admin_url.rsplit_once('/').unwrap();
        let options = DatabaseOptions {
            url: format!("{server}/{name}"),
            max_connections: 4,
        };
        let database = Database::open(&options).await.unwrap();
        Some(Self {
            database,
            postgres: Some((name, admin_url)),
            folder: std::sync::Arc::new(tempfile::tempdir().unwrap()),
        })
    }

    /// The same database for a second server; the first one drops it.
    pub(crate) fn shared(other: &Self) -> Self {
        Self {
            database: other.database.clone(),
            postgres: None,
            folder: std::sync::Arc::clone(&other.folder),
        }
    }

    pub(crate) async fn drop(self) {
        if let Some((name, admin_url)) = self.postgres {
            run(&admin_url, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn run(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
}

/// Runs each test once on either database.
macro_rules! on_both_databases {
    ($(async fn $name:ident($server:ident: &TestServer) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every test needs all of them")]
            use super::*;

            async fn test($server: &$crate::tests::server::TestServer) $body

            #[tokio::test]
            async fn sqlite() {
                let database = $crate::tests::databases::TestDatabase::sqlite().await;
                let server = $crate::tests::server::TestServer::start(database).await;
                test(&server).await;
                server.drop().await;
            }

            #[tokio::test]
            async fn postgres() {
                let Some(database) = $crate::tests::databases::TestDatabase::postgres().await else { return };
                let server = $crate::tests::server::TestServer::start(database).await;
                test(&server).await;
                server.drop().await;
            }
        })+
    };
}
pub(crate) use on_both_databases;
