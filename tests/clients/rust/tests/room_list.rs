//! The room list of Element X: simplified sliding sync as matrix-sdk-ui drives it.
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use echorift_rust_clients::{Device, Server, eventually};
use matrix_sdk::ruma::api::client::room::create_room::v3::Request as CreateRoom;
use matrix_sdk_ui::sync_service::{State, SyncService};

/// The names of the rooms that the client knows.
fn names(device: &Device) -> BTreeSet<String> {
    let rooms = device.joined_rooms();
    rooms
        .iter()
        .filter_map(|room| room.cached_display_name().map(|name| name.to_string()))
        .collect()
}

fn is_running(service: &SyncService) -> bool {
    matches!(service.state().get(), State::Running)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_room_list_fills_and_stays_current() {
    let server = Server::start();
    let writer = Device::register(&server, "ben").await.syncing();
    let phone = Device::register(&server, "anna").await;
    let wanted: BTreeSet<String> = (0..30).map(|number| format!("Room {number}")).collect();
    for name in &wanted {
        let mut request = CreateRoom::new();
        request.name = Some(name.clone());
        phone.create_room(request).await.unwrap();
    }

    let service = SyncService::builder(phone.clone()).build().await.unwrap();
    service.start().await;
    eventually("all rooms are listed", async || {
        (names(&phone) == wanted).then_some(())
    })
    .await;
    assert!(is_running(&service));

    // An invitation comes, is accepted, and messages follow, encrypted ones too.
    let room = writer.encrypted_room_with(&phone).await;
    let first = writer.say(room.room_id(), "welcome").await;
    assert_eq!(phone.reads(room.room_id(), &first).await, "welcome");
    let known = phone.get_room(room.room_id()).unwrap();
    let more = writer.say(room.room_id(), "and more").await;
    eventually("the list counts what is unread", async || {
        (known.num_unread_messages() > 0 || known.unread_notification_counts().notification_count > 0)
            .then_some(())
    })
    .await;
    assert_eq!(phone.reads(room.room_id(), &more).await, "and more");

    // The server is gone for a moment; the list goes on where it was.
    server.fall_and_rise();
    let after = writer.say(room.room_id(), "back again").await;
    eventually("the service runs again", async || {
        if !is_running(&service) {
            service.start().await;
        }
        is_running(&service).then_some(())
    })
    .await;
    assert_eq!(phone.reads(room.room_id(), &after).await, "back again");
    service.stop().await;
}
