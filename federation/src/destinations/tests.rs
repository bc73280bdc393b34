#![allow(clippy::unwrap_used, reason = "tests")]

use echorift_storage::DatabaseOptions;
use ruma::server_name;

use super::*;
use crate::testing::NOW;

async fn database(folder: &tempfile::TempDir) -> Database {
    let options = DatabaseOptions {
        url: format!("sqlite:{}", folder.path().join("test.db").display()),
        max_connections: 2,
    };
    Database::open(&options).await.unwrap()
}

async fn start(database: &Database, clock: &Clock) -> Destinations {
    let (initial, max) = (Duration::from_secs(10), Duration::from_secs(100));
    Destinations::start(database, clock.clone(), initial, max)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_longer_and_longer_up_to_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let (database, clock) = (database(&folder).await, Clock::manual(NOW));
    let destinations = start(&database, &clock).await;
    let server = server_name!("a.example");
    assert!(destinations.is_due(server));
    for seconds in [10, 20, 40, 80, 100, 100] {
        destinations.note_failure(server, None).await;
        let next = destinations.next_attempt(server).unwrap();
        let wait = next.0 - clock.now().0;
        assert!(
            (seconds * 800..=seconds * 1200).contains(&wait) && wait <= 100_000,
            "{wait}"
        );
        // Others that were under way do not count.
        destinations.note_failure(server, None).await;
        assert_eq!(destinations.next_attempt(server), Some(next));
        clock.advance_ms(wait);
        assert!(destinations.is_due(server));
    }
    assert_eq!(destinations.failing_since(server), Some(NOW));
    destinations.note_success(server).await;
    assert_eq!(destinations.failing_since(server), None);
    destinations
        .note_failure(server, Some(Duration::from_secs(60)))
        .await;
    assert_eq!(
        destinations.next_attempt(server),
        Some(clock.now().plus_ms(60_000))
    );
}

#[tokio::test]
async fn back_offs_outlive_a_restart_and_end_with_a_sign_of_life() {
    let folder = tempfile::tempdir().unwrap();
    let (database, clock) = (database(&folder).await, Clock::manual(NOW));
    let (a, b) = (server_name!("a.example"), server_name!("b.example"));
    let destinations = start(&database, &clock).await;
    destinations.note_failure(a, None).await;
    destinations.note_failure(b, None).await;
    destinations.note_success(b).await;
    database.writer().commit(Change::new()).await.unwrap();

    let again = start(&database, &clock).await;
    assert_eq!(again.next_attempt(a), destinations.next_attempt(a));
    assert!(again.is_due(b));

    let mut change = Change::new();
    store::prune(&mut change, 1);
    database.writer().commit(change).await.unwrap();
    let left = store::load(&database, 10).await.unwrap();
    assert_eq!(left.len(), 1);

    let waiting = tokio::spawn({
        let again = again.clone();
        async move { again.due(server_name!("a.example")).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    again.note_success(a).await;
    tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .unwrap()
        .unwrap();
    assert!(again.is_due(a));
}
