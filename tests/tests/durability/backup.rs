use std::ffi::OsStr;
use std::process::Output;

use echorift_tests::{Look as _, TestServer, User, run_cli};

fn is_sqlite() -> bool {
    std::env::var("ECHORIFT_TEST_DATABASE").map_or(true, |database| database == "sqlite")
}

fn cli(server: &TestServer, command: &str, file: &std::path::Path) -> Output {
    let config = server.config_file();
    run_cli([
        OsStr::new(command),
        file.as_os_str(),
        OsStr::new("--config"),
        config.as_os_str(),
    ])
}

#[tokio::test]
async fn a_backup_of_a_running_server_brings_everything_back() {
    let server = TestServer::start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "in the backup").await.unwrap();
    let copy = server.data_dir().join("copy.db");
    let output = cli(&server, "backup", &copy);
    if !is_sqlite() {
        // PostgreSQL has its own tools, and the command says which.
        assert!(!output.status.success());
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("pg_dump"),
            "{output:?}"
        );
        return;
    }
    assert!(output.status.success(), "{output:?}");
    alice.send_text(&room, "after the backup").await.unwrap();

    let while_running = cli(&server, "restore", &copy);
    assert!(
        !while_running.status.success(),
        "a running server must not be restored under"
    );
    assert!(server.stop().await);
    let output = cli(&server, "restore", &copy);
    assert!(output.status.success(), "{output:?}");
    server.restart().await;

    let alice = User::logged_in(&server, &alice.localpart, &alice.password)
        .await
        .unwrap();
    assert_eq!(alice.newest(&room, 20).await.bodies("/chunk"), ["in the backup"]);
    alice.send_text(&room, "and on").await.unwrap();
    let bob = User::logged_in(&server, &bob.localpart, &bob.password)
        .await
        .unwrap();
    assert_eq!(
        bob.newest(&room, 20).await.bodies("/chunk"),
        ["and on", "in the backup"]
    );
}

#[tokio::test]
async fn a_backup_overwrites_nothing() {
    if !is_sqlite() {
        return;
    }
    let server = TestServer::start().await;
    let file = server.data_dir().join("precious");
    std::fs::write(&file, "keep me").unwrap();
    assert!(!cli(&server, "backup", &file).status.success());
    assert_eq!(std::fs::read(&file).unwrap(), b"keep me");
    assert!(server.stop().await);
    assert!(
        !cli(&server, "restore", &file).status.success(),
        "what is no database is not restored"
    );
    server.restart().await;
}
