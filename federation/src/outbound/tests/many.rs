//! Many destinations, most of them dead.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use echorift_rooms::Room;
use ruma::{ServerName, UserId, server_name, user_id};

use crate::outbound::{
    DestinationState,
    destination::Destination,
    testing::{Manner, TestSender, until},
    worker,
};

fn dead(number: usize) -> ruma::OwnedServerName {
    ServerName::parse(format!("dead{number}.example")).unwrap()
}

#[tokio::test]
async fn the_dead_hold_nothing_and_delay_nobody() {
    const DEAD: usize = 5_000;
    let server = TestSender::start().await;
    server.network.back_off_ms.store(600_000, Ordering::SeqCst);
    let alice = server.register("alice").await;
    let room = server.public_room(&alice).await;
    let two = server_name!("two.example");
    server.join(&room, user_id!("@bob:two.example")).await;
    server.send(&room, &alice, "proven").await;
    server.settled(two).await;
    let event = server.send(&room, &alice, "to all").await;
    for number in 0..DEAD {
        let name = dead(number);
        server
            .network
            .set(&name, Manner::Silent(Duration::from_millis(200)));
        let destination = server.outbound.0.roster.destination(&name);
        if destination.push_event((event.position(), event.number)) {
            worker::start(&server.outbound, &destination);
        }
    }
    // While thousands time out, the living are served at once.
    for number in 0..10 {
        let started = Instant::now();
        server.send(&room, &alice, &number.to_string()).await;
        server.settled(two).await;
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "{:?}",
            started.elapsed()
        );
    }
    assert!(server.outbound.0.roster.in_flight() <= 64 + 32 + 1);
    let attempts = server.network.attempts();
    until(|| server.network.attempts() > attempts + 500).await;
    let destinations = server.outbound.destinations();
    assert_eq!(destinations.len(), DEAD + 1);
    let resting = destinations
        .iter()
        .filter(|one| one.state == DestinationState::BackingOff);
    assert!(resting.clone().count() > 400);
    assert!(resting.clone().all(|one| one.queued == 0));
    assert!(size_of::<Destination>() <= 320, "{}", size_of::<Destination>());
    server.end().await;
}

/// The servers of a room in which many others are, all of which have what there was so far.
async fn with_servers(server: &TestSender, count: usize) -> (ruma::OwnedUserId, Arc<Room>) {
    let alice = server.register("alice").await;
    let room = server.public_room(&alice).await;
    for number in 0..count {
        let name = ServerName::parse(format!("server{number}.example")).unwrap();
        server.network.set(&name, Manner::Swallows);
        let user = UserId::parse(format!("@bob:{name}")).unwrap();
        server.join(&room, &user).await;
    }
    all_have_everything(server).await;
    for number in 0..count {
        let name = ServerName::parse(format!("server{number}.example")).unwrap();
        server.network.set(&name, Manner::Takes);
    }
    (alice, room)
}

async fn all_have_everything(server: &TestSender) {
    let visible = server.database.log().visible();
    until(|| {
        let destinations = server.outbound.destinations();
        server.outbound.routed() >= visible && destinations.iter().all(|one| one.sent.is_none())
    })
    .await;
}

#[tokio::test]
async fn what_is_the_same_for_many_is_written_once() {
    const SERVERS: usize = 100;
    let server = TestSender::start().await;
    let (alice, room) = with_servers(&server, SERVERS).await;
    server.send(&room, &alice, "to all").await;
    until(|| server.network.received().len() >= SERVERS).await;
    let received = server.network.received();
    let addresses: HashSet<usize> = received.iter().map(|received| received.address).collect();
    assert!(addresses.len() <= 3, "{} bodies", addresses.len());
    let servers: HashSet<_> = received.iter().map(|received| &received.server).collect();
    assert_eq!(servers.len(), SERVERS);
    server.end().await;
}

/// Everybody is told of each event once, however many they are.
#[tokio::test]
async fn an_event_goes_once_to_each_of_five_hundred_servers() {
    const SERVERS: usize = 500;
    const EVENTS: u32 = 3;
    let server = TestSender::start().await;
    let (alice, room) = with_servers(&server, SERVERS).await;
    for number in 0..SERVERS {
        let name = ServerName::parse(format!("server{number}.example")).unwrap();
        server.network.set(&name, Manner::Swallows);
    }
    let before = server.network.attempts();
    for number in 0..EVENTS {
        server.send(&room, &alice, &number.to_string()).await;
        let wanted = before + (number + 1) * u32::try_from(SERVERS).unwrap();
        while server.network.attempts() < wanted {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.network.attempts(), wanted);
    }
    server.end().await;
}
