//! Runs a test on SQLite, and on PostgreSQL where one is at hand.

use echorift_storage::{Database, DatabaseOptions};

/// The test on a new SQLite database, then on a new PostgreSQL database if `ECHORIFT_TEST_POSTGRES` names a server
/// (an administrator's URL), which `make test` sees to. In CI it must.
pub async fn on_each_database(test: impl AsyncFn(Database)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    test(open(url).await).await;
    match std::env::var("ECHORIFT_TEST_POSTGRES") {
        Ok(admin) => on_postgres(&admin, test).await,
        Err(_) if std::env::var_os("CI").is_some() => {
            panic!("ECHORIFT_TEST_POSTGRES is not set: run `make test`, which starts a PostgreSQL")
        }
        Err(_) => eprintln!("not on PostgreSQL: ECHORIFT_TEST_POSTGRES is not set (`make test` sets it)"),
    }
}

async fn on_postgres(admin: &str, test: impl AsyncFn(Database)) {
    let (server, _) = admin.rsplit_once('/').expect("a URL with a database");
    let name = format!("storage_{}_{}", std::process::id(), uuid());
    let pool = sqlx::PgPool::connect(admin)
        .await
        .expect("the administrator's connection");
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&pool)
        .await
        .expect("CREATE DATABASE");
    test(open(format!("{server}/{name}")).await).await;
    sqlx::query(sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
        .execute(&pool)
        .await
        .expect("DROP");
}

async fn open(url: String) -> Database {
    Database::open(&DatabaseOptions {
        url,
        max_connections: 4,
    })
    .await
    .expect("an empty database")
}

/// Unique within the process.
fn uuid() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
