//! A company of five thousand people in three hundred groups, of which most are in one another.

use std::time::Duration;

use echorift_tests::{
    Caller, Look as _, SHARED_SECRET, ServerBuilder, TestDirectory, TestServer, User, register_by_secret,
    until, v3, within,
};
use serde_json::{Value, json};

use crate::{admin, group, metric, mirroring, person, runs, sync};

const PEOPLE: i64 = 5_000;
/// The first sync of all, by a debug build on a busy machine.
const FIRST_SYNC: Duration = Duration::from_secs(300);

/// Mirrors the company, of which everybody is in a group within a group that may log in.
fn company(directory: &TestDirectory) -> ServerBuilder {
    mirroring(directory).set("directory.login_group", group("chat-users"))
}

/// An administrator, after the first sync.
async fn administrator(server: &TestServer) -> (Caller, Value) {
    let made = register_by_secret(server, SHARED_SECRET, "root", "a good password", true).await;
    let root = server.with_token(made.unwrap().text("/access_token"));
    let last = within(FIRST_SYNC, "the first sync ends", async || {
        let sync = root.get(admin(&[])).await.unwrap()["sync"].clone();
        (!sync["last"].is_null() && sync["is_told"] == true).then(|| sync["last"].clone())
    })
    .await;
    (root, last)
}

async fn is_refused(user: &User) {
    until("the token is refused", async || {
        let refusal = user.get(v3(["account", "whoami"])).await.err()?;
        assert_eq!(refusal.status, 401, "{refusal}");
        Some(())
    })
    .await;
}

fn member(change: &str, of: &str, who: &str) -> String {
    format!(
        "dn: {}\nchangetype: modify\n{change}: member\nmember: {}\n\n",
        group(of),
        person(who)
    )
}

#[tokio::test]
async fn a_large_company_is_mirrored_over_ldaps_and_start_tls() {
    let directory = TestDirectory::start_with(&["--people", "5000", "--groups", "300"]);
    let server = company(&directory)
        .set("directory.urls", json!([directory.facts.text("/ldaps")]))
        .set("directory.start_tls", false)
        .set(
            "directory.mapping",
            json!([{ "group": group("team-005"), "channel": "#team", "create": true }]),
        )
        .start()
        .await;
    let (root, last) = administrator(&server).await;
    assert_eq!(
        (&last["outcome"], &last["created"]),
        (&json!("done"), &json!(PEOPLE))
    );
    assert!(
        last.number("/groups") >= 300 && last.number("/people") >= PEOPLE,
        "{last}"
    );
    until("photos are taken over", async || {
        (!crate::profile(&root, "p00009", "avatar_url").await.is_null()).then_some(())
    })
    .await;

    // Nothing new: but for the line in the audit log that somebody asked for it, nothing is written.
    let commits = async || metric(&root, "echorift_storage_commit_seconds_count", "").await;
    within(FIRST_SYNC, "a sync writes nothing", async || {
        let before = commits().await;
        let last = sync(&root).await;
        assert_eq!(
            (&last["outcome"], &last["reach"], &last["updated"]),
            (&json!("done"), &json!("whole"), &json!(0))
        );
        // What followed the first sync, such as photos, may be on its way.
        (commits().await <= before + 1).then_some(())
    })
    .await;
    let whole = runs(&root, "whole").await;

    // Somebody moves between teams; somebody else leaves.
    let mover = User::logged_in(&server, "p00003", "nordlicht-00003")
        .await
        .unwrap();
    let leaver = User::logged_in(&server, "p00004", "nordlicht-00004")
        .await
        .unwrap();
    directory.change(&member("add", "team-004", "p00003"));
    let team = until("who is in a team within the team comes in", async || {
        let rooms = mover.get(v3(["joined_rooms"])).await.unwrap();
        rooms.list("/joined_rooms").first().cloned()
    })
    .await;
    directory.change(&member("delete", "team-004", "p00003"));
    until("they are out", async || {
        let rooms = mover.get(v3(["joined_rooms"])).await.unwrap();
        (!rooms.list("/joined_rooms").contains(&team)).then_some(())
    })
    .await;
    directory.change(&format!("dn: {}\nchangetype: delete\n\n", person("p00004")));
    is_refused(&leaver).await;
    assert_eq!(runs(&root, "whole").await, whole);
    mover.get(v3(["account", "whoami"])).await.unwrap();
    assert!(server.stop().await);

    let server = company(&directory)
        .set("directory.create_accounts", "login")
        .start()
        .await;
    let (root, last) = administrator(&server).await;
    assert_eq!((&last["outcome"], &last["created"]), (&json!("done"), &json!(0)));
    assert!(last.number("/people") >= PEOPLE - 1, "{last}");
    let leaver = User::logged_in(&server, "p00005", "nordlicht-00005")
        .await
        .unwrap();
    let whole = runs(&root, "whole").await;
    directory.change(&format!("dn: {}\nchangetype: delete\n\n", person("p00005")));
    is_refused(&leaver).await;
    assert_eq!(runs(&root, "whole").await, whole);
}
