use echorift_tests::{Look as _, TestDirectory, User, until, v3};

use crate::{admin, administrator, group, mirroring, profile, sync};

#[tokio::test]
async fn a_directory_that_is_away_changes_nothing() {
    let mut directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    directory.stop();
    assert_eq!(sync(&root).await["outcome"], "failed");
    jonas.get(v3(["account", "whoami"])).await.unwrap();
    until("the log says so", async || {
        let mut lines = server.logs().into_iter();
        lines.any(|line| line.contains("was not mirrored")).then_some(())
    })
    .await;
    assert_eq!(root.get(admin(&["plan"])).await.unwrap_err().status, 503);
    directory.start_again();
    assert_eq!(sync(&root).await["outcome"], "done");
}

#[tokio::test]
async fn an_answer_that_was_cut_short_changes_nothing() {
    let directory = TestDirectory::start_with(&["--people", "20", "--groups", "40", "--size-limit", "10"]);
    let server = mirroring(&directory)
        .set("directory.login_group", "")
        .start()
        .await;
    let root = administrator(&server).await;
    let last = sync(&root).await;
    assert_eq!(last["outcome"], "failed");
    assert!(profile(&root, "p00001", "displayname").await.is_null());
}

#[tokio::test]
async fn an_empty_tree_and_a_missing_group_change_nothing() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    directory.change(&format!("dn: {}\nchangetype: delete\n\n", group("everyone")));
    let last = sync(&root).await;
    assert_eq!(last["outcome"], "failed");
    assert!(last.text("/reason").contains("login_group"), "{last}");

    server.stop().await;
    server.set("directory.base_dn", "ou=services,dc=nordlicht,dc=example");
    server.restart().await;
    let last = sync(&root).await;
    assert_eq!(last["outcome"], "failed");
    assert!(last.text("/reason").contains("nobody"), "{last}");
    jonas.get(v3(["account", "whoami"])).await.unwrap();
}

#[tokio::test]
async fn an_attribute_that_is_no_id_changes_nothing() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory)
        .set("directory.attribute_id", "objectClass")
        .start()
        .await;
    let root = administrator(&server).await;
    let last = sync(&root).await;
    assert_eq!(last["outcome"], "failed");
    assert!(last.text("/reason").contains("immutable id"), "{last}");
}
