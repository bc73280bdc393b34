//! The directory is read by a process of its own, which tells the server what it holds.

use echorift_tests::{
    Caller, Look as _, ServerBuilder, TestDirectory, TestFeed, TestServer, User, free_port, until, v3,
};
use serde_json::{Value, json};

use crate::{account_control, admin, group, person, profile, replace, runs, sync};

/// A server that is told what this directory holds, and asks it for passwords alone.
fn fed(directory: &TestDirectory) -> ServerBuilder {
    directory
        .server()
        .at_port(free_port())
        .set("directory.sync", true)
        .set("directory.sync_from", "feed")
}

/// Somebody who administers it, and the token of the process that reads the directory.
async fn administrator(server: &TestServer) -> (Caller, String) {
    let root = server.register_admin().await;
    let asked = json!({ "name": "directory", "scopes": ["directory"] });
    let made = root.post("/_echorift/v1/tokens", asked).await.unwrap();
    let caller = server.with_token(root.token.as_deref().unwrap());
    (caller, made.text("/token").to_owned())
}

async fn status(root: &Caller) -> Value {
    root.get(admin(&[])).await.unwrap()["sync"].clone()
}

/// Waits until the process has sent everything, and hears of changes.
async fn comes_into_step(root: &Caller) {
    until("the server is told what the directory holds", async || {
        let sync = status(root).await;
        (sync["is_told"] == true && sync["last"]["outcome"] == "done").then_some(())
    })
    .await;
}

/// Its last lines arrive after its end.
async fn says(feed: &TestFeed, words: &str) {
    until("the process says why", async || {
        feed.logs().iter().any(|line| line.contains(words)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_process_of_its_own_tells_who_is_there_and_what_changes() {
    let directory = TestDirectory::start();
    let channel = json!([{ "group": group("engineering"), "channel": "#engineering", "create": true }]);
    let server = fed(&directory).set("directory.mapping", channel).start().await;
    let (root, token) = administrator(&server).await;
    // Nobody else reads it.
    assert_eq!(status(&root).await["feed"]["is_connected"], false);
    assert!(profile(&root, "jonas.meyer", "displayname").await.is_null());

    let feed = TestFeed::start(directory.server(), &server.base_url(), &token);
    comes_into_step(&root).await;
    assert_eq!(profile(&root, "jonas.meyer", "displayname").await, "Jonas Meyer");
    assert!(profile(&root, "ines.gast", "displayname").await.is_null());
    let plan = root.get(admin(&["plan"])).await.unwrap();
    assert_eq!(plan.list("/changes"), [] as [Value; 0]);

    // What changes comes by itself, a photo as well.
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    until("the group's channel has its members", async || {
        let rooms = jonas.get(v3(["joined_rooms"])).await.unwrap();
        (!rooms.list("/joined_rooms").is_empty()).then_some(())
    })
    .await;
    let whole = runs(&root, "whole").await;
    directory.change(&replace(&person("jonas.meyer"), "title", "Architect"));
    until("the title changes", async || {
        (profile(&root, "jonas.meyer", "org.echorift.title").await == "Architect").then_some(())
    })
    .await;
    directory.change(&format!(
        "dn: {}\nchangetype: modify\nreplace: jpegPhoto\njpegPhoto:: /9j/4AAQSkZJRgABAQEAYABgAAD/2Q==\n\n",
        person("jonas.meyer")
    ));
    until("the photo becomes the avatar", async || {
        (!profile(&root, "jonas.meyer", "avatar_url").await.is_null()).then_some(())
    })
    .await;
    directory.change(&account_control(&person("jonas.meyer"), 514));
    until("the leaver's token is refused", async || {
        let refusal = jonas.get(v3(["account", "whoami"])).await.err()?;
        assert_eq!(refusal.status, 401, "{refusal}");
        Some(())
    })
    .await;
    assert_eq!(runs(&root, "whole").await, whole, "{:?}", feed.logs());

    // Somebody who cannot wait has everything read.
    let last = sync(&root).await;
    assert_eq!(
        (&last["reach"], &last["outcome"]),
        (&json!("whole"), &json!("done"))
    );
    assert_eq!(runs(&root, "whole").await, whole + 1);
}

#[tokio::test]
async fn neither_side_is_lost_without_the_other() {
    let mut directory = TestDirectory::start();
    let server = fed(&directory).start().await;
    let (root, token) = administrator(&server).await;
    let feed = TestFeed::start(directory.server(), &server.base_url(), &token);
    comes_into_step(&root).await;

    // A server that comes back knows nothing of what it was told, and is told again.
    server.kill();
    server.restart().await;
    comes_into_step(&root).await;
    directory.change(&replace(&person("jonas.meyer"), "title", "Architect"));
    until("changes come again", async || {
        (profile(&root, "jonas.meyer", "org.echorift.title").await == "Architect").then_some(())
    })
    .await;

    // Without the process nothing changes, and with it what has changed meanwhile.
    drop(feed);
    directory.change(&replace(&person("jonas.meyer"), "title", "Chief"));
    let feed = TestFeed::start(directory.server(), &server.base_url(), &token);
    until("what has changed meanwhile is told", async || {
        (profile(&root, "jonas.meyer", "org.echorift.title").await == "Chief").then_some(())
    })
    .await;

    // A directory that is away changes nothing, and the server says why.
    directory.stop();
    until("the failure is told", async || {
        let last = sync(&root).await;
        (last["outcome"] == "failed").then_some(())
    })
    .await;
    let reason = status(&root).await["last"]["reason"].to_string();
    assert!(reason.contains("cannot be reached"), "{reason}");
    assert_eq!(profile(&root, "jonas.meyer", "org.echorift.title").await, "Chief");
    directory.start_again();
    until("the directory is read again", async || {
        (status(&root).await["last"]["outcome"] == "done").then_some(())
    })
    .await;
    drop(feed);
}

#[tokio::test]
async fn a_process_that_may_not_feed_this_server_ends_and_says_so() {
    let directory = TestDirectory::start();
    let server = fed(&directory).start().await;
    let mut stranger = TestFeed::start(directory.server(), &server.base_url(), "ert_nonsense");
    assert!(!stranger.ended().await);
    says(&stranger, "refuses (401").await;

    let own = directory.server().set("directory.sync", true).start().await;
    let (_, own_token) = administrator(&own).await;
    let mut unwanted = TestFeed::start(directory.server(), &own.base_url(), &own_token);
    assert!(!unwanted.ended().await);
    says(&unwanted, "reads this directory itself").await;
}
