#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use ruma::{EventId, OwnedEventId, UserId, owned_user_id};
use serde_json::json;

use super::Subscription;
use crate::{Reader, Room, RoomError, Rooms, testing::TestRooms};

struct Story {
    server: TestRooms,
    room: Arc<Room>,
    root: OwnedEventId,
    reader: Reader,
}

impl Story {
    async fn begin(server: TestRooms) -> Self {
        let alice = owned_user_id!("@alice:one.example");
        let room = server.public_room(&alice).await;
        let root = server
            .say(&room, &alice, "m.room.message", json!({ "body": "root" }))
            .await;
        let reader = server.reader(&alice).await;
        Self {
            root: root.pdu.event_id.clone(),
            reader,
            room,
            server,
        }
    }

    async fn answer_in_thread(&self, sender: &UserId) -> OwnedEventId {
        let content =
            json!({ "body": "x", "m.relates_to": { "rel_type": "m.thread", "event_id": self.root } });
        let event = self
            .server
            .say(&self.room, sender, "m.room.message", content)
            .await;
        event.pdu.event_id.clone()
    }

    fn rooms(&self) -> &Rooms {
        &self.server.rooms
    }

    async fn subscribe(&self, cause: Option<&EventId>) -> Result<(), RoomError> {
        self.rooms()
            .subscribe_thread(&self.room, &self.reader, &self.root, cause)
            .await
    }

    async fn standing(&self) -> Option<Subscription> {
        self.rooms()
            .thread_subscription(&self.room, &self.reader, &self.root)
            .await
            .unwrap()
    }
}

async fn an_old_cause_does_not_bring_back_what_the_user_ended(server: TestRooms) {
    let story = Story::begin(server).await;
    let alice = story.reader.user_id.clone();
    assert_eq!(story.standing().await, None);

    let first = story.answer_in_thread(&alice).await;
    story.subscribe(Some(&first)).await.unwrap();
    assert_eq!(story.standing().await, Some(Subscription::Automatic));
    story.subscribe(None).await.unwrap();
    story.subscribe(Some(&first)).await.unwrap();
    assert_eq!(
        story.standing().await,
        Some(Subscription::Manual),
        "what the user wished stays"
    );

    let (rooms, room, reader) = (story.rooms(), &story.room, &story.reader);
    rooms.unsubscribe_thread(room, reader, &story.root).await.unwrap();
    let refused = story.subscribe(Some(&first)).await;
    assert!(
        matches!(refused, Err(RoomError::UnsubscribedSince)),
        "{refused:?}"
    );
    let later = story.answer_in_thread(&alice).await;
    story.subscribe(Some(&later)).await.unwrap();
    assert_eq!(story.standing().await, Some(Subscription::Automatic));

    // What is in memory is what is stored.
    let stored = crate::store::thread_subscriptions::of_user(rooms.database(), reader.user)
        .await
        .unwrap();
    let in_memory = rooms.threads_of(reader.user).await.unwrap();
    assert_eq!(*in_memory, stored.into_iter().collect());
}

#[tokio::test]
async fn an_old_cause_does_not_bring_back_what_the_user_ended_on_sqlite() {
    an_old_cause_does_not_bring_back_what_the_user_ended(TestRooms::start().await).await;
}

#[tokio::test]
async fn an_old_cause_does_not_bring_back_what_the_user_ended_on_postgres() {
    if let Some(server) = TestRooms::start_on_postgres().await {
        an_old_cause_does_not_bring_back_what_the_user_ended(server).await;
    }
}

#[tokio::test]
async fn causes_come_from_the_thread_and_roots_from_outside_of_threads() {
    let story = Story::begin(TestRooms::start().await).await;
    let alice = story.reader.user_id.clone();
    let elsewhere = story
        .server
        .say(&story.room, &alice, "m.room.message", json!({ "body": "y" }))
        .await;
    let refused = story.subscribe(Some(&elsewhere.pdu.event_id)).await;
    assert!(matches!(refused, Err(RoomError::NotInThread(_))), "{refused:?}");

    let within = story.answer_in_thread(&alice).await;
    let refused = story
        .rooms()
        .subscribe_thread(&story.room, &story.reader, &within, None)
        .await;
    assert!(matches!(refused, Err(RoomError::UnknownEvent(_))), "{refused:?}");
}
