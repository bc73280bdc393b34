use echorift_tests::{Look as _, User, refused, v3};
use serde_json::{Value, json};

use super::{emails::add, mail_server::MailServer};

fn pusher(address: &str) -> Value {
    json!({
        "app_id": "m.email", "pushkey": address, "kind": "email", "app_display_name": "Mail",
        "device_display_name": address, "lang": "en", "data": {},
    })
}

async fn keys(user: &User) -> usize {
    user.get(v3(["pushers"])).await.unwrap().list("/pushers").len()
}

#[tokio::test]
async fn what_stays_unread_is_told_by_letter() {
    let mut mail = MailServer::start().await;
    let server = mail
        .server()
        // Long enough for what is read in time to be read, also on a busy machine.
        .set("email.digest_delay", "3s")
        .set("email.digest_pause", "0s")
        .set("push.include_content", true)
        .start()
        .await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    add(&mut mail, &bob, "bob@example.org").await;
    bob.post(v3(["pushers", "set"]), pusher("bob@example.org"))
        .await
        .unwrap();
    let (read, unread) = (
        alice.create_room_with(&[&bob]).await,
        alice.create_room_with(&[&bob]).await,
    );
    alice
        .set_state(&unread, "m.room.name", "", json!({ "name": "Tea" }))
        .await
        .unwrap();
    let seen = alice.send_text(&read, "seen in time").await.unwrap();
    bob.send_receipt(&read, "m.read", &seen).await.unwrap();
    alice.send_text(&unread, "the kettle is on").await.unwrap();

    let letter = mail.next().await;
    assert_eq!(
        (letter.to.as_str(), letter.subject()),
        ("bob@example.org", "Unread messages in Tea")
    );
    assert!(letter.text.contains("the kettle is on"), "{}", letter.text);
    assert!(
        letter.text.contains(&format!("https://matrix.to/#/{unread}")),
        "{}",
        letter.text
    );
    assert!(!letter.text.contains("seen in time"), "{}", letter.text);

    // The next letter tells only what came since.
    alice.send_text(&unread, "it whistles").await.unwrap();
    let letter = mail.next().await;
    assert!(letter.text.contains("it whistles"), "{}", letter.text);
    assert!(!letter.text.contains("the kettle is on"), "{}", letter.text);
}

#[tokio::test]
async fn a_letter_that_was_due_when_the_server_went_is_sent_when_it_is_back() {
    let mut mail = MailServer::start().await;
    let server = mail.server().set("email.digest_delay", "300ms").start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    add(&mut mail, &bob, "bob@example.org").await;
    bob.post(v3(["pushers", "set"]), pusher("bob@example.org"))
        .await
        .unwrap();
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "are you there?").await.unwrap();
    server.kill();
    server.restart().await;
    let letter = mail.next().await;
    assert_eq!(letter.to, "bob@example.org");
    assert!(
        !letter.text.contains("are you there?"),
        "contents stay unless configured"
    );
}

#[tokio::test]
async fn letters_go_only_to_addresses_of_the_account() {
    let mut mail = MailServer::start().await;
    let server = mail.server().start().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    add(&mut mail, &alice, "alice@example.org").await;
    for address in ["alice@example.org", "stranger@example.org"] {
        let answer = bob.post(v3(["pushers", "set"]), pusher(address)).await;
        refused(answer, 400, "M_THREEPID_NOT_FOUND");
    }
    let mut other = pusher("alice@example.org");
    other["app_id"] = json!("org.example");
    let answer = alice.post(v3(["pushers", "set"]), other).await;
    refused(answer, 400, "M_INVALID_PARAM");
    alice
        .post(v3(["pushers", "set"]), pusher("alice@example.org"))
        .await
        .unwrap();
    assert_eq!(keys(&alice).await, 1);
    let delete = json!({ "medium": "email", "address": "alice@example.org" });
    alice
        .post(v3(["account", "3pid", "delete"]), delete)
        .await
        .unwrap();
    assert_eq!(keys(&alice).await, 0, "the pusher goes with its address");
}
