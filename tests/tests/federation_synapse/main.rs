//! Federation with a Synapse.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

use echorift_tests::{Synapse, TestAuthority, PATIENCE};

#[tokio::test]
async fn trial() {
    let authority = TestAuthority::new();
    let (one, two) = tokio::join!(Synapse::start(&authority), Synapse::start(&authority));
    let [alice] = one.register(["alice"]).await;
    let [bob] = two.register(["bob"]).await;
    let room = alice.create_room_with(&[]).await;
    alice.invite(&room, &bob).await.unwrap();
    let since = bob.now().await;
    let start = std::time::Instant::now();
    loop {
        match bob.join(&room).await { Ok(_) => break, Err(e) => { eprintln!("{e}"); assert!(start.elapsed() < PATIENCE); tokio::time::sleep(std::time::Duration::from_millis(200)).await; } }
    }
    alice.send_text(&room, "hello").await.unwrap();
    bob.sync_until(&since, |answer| answer.to_string().contains("hello")).await;
    eprintln!("{:?}", start.elapsed());
    eprintln!("{:?}", two.logs());
}
