//! Servers that are down, hang, talk nonsense or come back.

use std::time::Duration;

use echorift_appservice_ldap::{DirectoryConfig, LoginRefusal};
use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::slapd::{Slapd, company, directory};

/// The address of a port on which nothing listens.
async fn dead_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("ldap://{}", listener.local_addr().unwrap())
}

/// A server that answers every connection with these bytes, and then with silence.
async fn server_that_says(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((mut connection, _)) = listener.accept().await {
            connection.write_all(bytes).await.unwrap();
            connections.push(connection);
        }
    });
    url
}

#[tokio::test]
async fn the_next_server_answers_when_the_first_is_dead_or_silent() {
    let company = company();
    for first in [
        dead_url().await,
        server_that_says(b"").await,
        server_that_says(b"HTTP/1.1 400\r\n").await,
    ] {
        let directory = directory(DirectoryConfig {
            urls: vec![first.clone(), company.text("ldap").to_owned()],
            request_timeout: Duration::from_secs(2),
            ..company.config()
        });
        assert!(
            directory
                .authenticate("anna.weber", "nordlicht-anna")
                .await
                .is_ok(),
            "{first}"
        );
        assert_eq!(
            directory.authenticate("anna.weber", "guess").await,
            Err(LoginRefusal::WrongPassword)
        );
    }
}

#[tokio::test]
async fn a_directory_that_is_down_is_unavailable_and_back_when_it_is_back() {
    let mut slapd = Slapd::start(&[]);
    let directory = directory(slapd.config());
    let anna = directory
        .authenticate("anna.weber", "nordlicht-anna")
        .await
        .unwrap();
    slapd.stop();
    for _ in 0..2 {
        let outcome = directory.authenticate("anna.weber", "nordlicht-anna").await;
        assert!(
            matches!(outcome, Err(LoginRefusal::Unavailable(_))),
            "{outcome:?}"
        );
    }
    slapd.start_again();
    assert_eq!(
        directory.authenticate("anna.weber", "nordlicht-anna").await,
        Ok(anna)
    );
}

#[tokio::test]
async fn a_restart_between_two_logins_goes_unnoticed() {
    let mut slapd = Slapd::start(&[]);
    let directory = directory(slapd.config());
    directory
        .authenticate("anna.weber", "nordlicht-anna")
        .await
        .unwrap();
    slapd.stop();
    slapd.start_again();
    directory
        .authenticate("anna.weber", "nordlicht-anna")
        .await
        .unwrap();
}

#[tokio::test]
async fn nonsense_ends_the_login_and_not_the_server() {
    // Not LDAP; a message without content; a bind response without fields; an endless length.
    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x00",
        b"\x30\x05\x02\x01\x01\x61\x00",
        b"\x30\x84\xff\xff\xff\xff",
    ];
    for bytes in answers {
        let directory = directory(DirectoryConfig {
            urls: vec![server_that_says(bytes).await],
            request_timeout: Duration::from_millis(500),
            ..company().config()
        });
        let outcome = directory.authenticate("anna.weber", "nordlicht-anna").await;
        assert!(
            matches!(outcome, Err(LoginRefusal::Unavailable(_))),
            "{bytes:?}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn many_logins_at_once_share_a_small_pool() {
    let company = company();
    let directory = directory(DirectoryConfig {
        pool_size: 2,
        ..company.config()
    });
    let logins = (0..40).map(|_| directory.authenticate("sofia.rossi", "nordlicht-sofia"));
    let outcomes = join_all(logins).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}
