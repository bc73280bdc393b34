//! Two people with four devices: what one of them writes, all of them can read, and nobody else.
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use echorift_rust_clients::{Device, Server, eventually};
use matrix_sdk::encryption::{backups::BackupState, recovery::RecoveryState};

/// `other` as `device` knows it.
async fn device_of(device: &Device, other: &Device) -> Option<matrix_sdk::encryption::identities::Device> {
    let meta = other.meta();
    device
        .encryption()
        .get_device(&meta.user_id, &meta.device_id)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_with_four_devices_talk_in_secret() {
    let server = Server::start();
    let laptop = Device::register(&server, "anna").await.syncing();
    let desk = Device::register(&server, "ben").await.syncing();

    // The first device of each made an identity and a key backup.
    for device in [&laptop, &desk] {
        let status = device.encryption().cross_signing_status().await.unwrap();
        assert!(status.is_complete(), "{status:?}");
        assert_eq!(device.encryption().backups().state(), BackupState::Enabled);
    }
    let recovery_key = laptop.encryption().recovery().enable().await.unwrap();

    let room = laptop.encrypted_room_with(&desk).await;
    let room = room.room_id();
    let early = laptop.say(room, "before the others came").await;
    assert_eq!(desk.reads(room, &early).await, "before the others came");
    let reply = desk.say(room, "heard").await;
    assert_eq!(laptop.reads(room, &reply).await, "heard");

    // They compare emoji, each as a person.
    let identity = laptop
        .encryption()
        .request_user_identity(&desk.meta().user_id)
        .await
        .unwrap()
        .unwrap();
    let request = identity.request_verification().await.unwrap();
    laptop.compares_emoji(request, &desk).await;
    for (device, other) in [(&laptop, &desk), (&desk, &laptop)] {
        eventually("the other person is verified", async || {
            let identity = device
                .encryption()
                .get_user_identity(&other.meta().user_id)
                .await
                .unwrap();
            identity?.is_verified().then_some(())
        })
        .await;
    }

    // Anna's second device gets everything by the recovery key.
    laptop
        .encryption()
        .backups()
        .wait_for_steady_state()
        .await
        .unwrap();
    let phone = Device::log_in(&server, "anna").await.syncing();
    phone
        .encryption()
        .recovery()
        .recover(&recovery_key)
        .await
        .unwrap();
    assert_eq!(phone.encryption().recovery().state(), RecoveryState::Enabled);
    assert_eq!(phone.reads(room, &early).await, "before the others came");
    assert_eq!(phone.reads(room, &reply).await, "heard");
    eventually("the laptop trusts the phone", async || {
        let meta = phone.meta();
        let device = laptop
            .encryption()
            .get_device(&meta.user_id, &meta.device_id)
            .await
            .unwrap();
        device?.is_verified_with_cross_signing().then_some(())
    })
    .await;

    // Ben's second device is verified by his first, which hands over the secrets and so the old keys.
    let tablet = Device::log_in(&server, "ben").await.syncing();
    // A request from a device that the other has not heard of is ignored.
    eventually("the desk knows the tablet", async || {
        device_of(&desk, &tablet).await
    })
    .await;
    let first = eventually("the tablet knows the desk", async || {
        device_of(&tablet, &desk).await
    })
    .await;
    let request = first.request_verification().await.unwrap();
    tablet.compares_emoji(request, &desk).await;
    eventually("the tablet has the secrets", async || {
        let status = tablet.encryption().cross_signing_status().await?;
        let has_backup = tablet.encryption().backups().state() == BackupState::Enabled;
        (status.is_complete() && has_backup).then_some(())
    })
    .await;
    assert_eq!(tablet.reads(room, &early).await, "before the others came");

    // What is said now reaches all four.
    for speaker in [&phone, &tablet] {
        let last = speaker.say(room, "everyone?").await;
        for device in [&laptop, &desk, &phone, &tablet] {
            assert_eq!(device.reads(room, &last).await, "everyone?");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_logs_out_is_told_no_more_keys() {
    let server = Server::start();
    let laptop = Device::register(&server, "anna").await.syncing();
    let desk = Device::register(&server, "ben").await.syncing();
    let spare = Device::log_in(&server, "ben").await.syncing();
    let room = laptop.encrypted_room_with(&desk).await;
    let told = laptop.say(room.room_id(), "to all").await;
    assert_eq!(spare.reads(room.room_id(), &told).await, "to all");

    let meta = spare.meta();
    spare.matrix_auth().logout().await.unwrap();
    eventually("the sender hears of it", async || {
        let device = laptop
            .encryption()
            .get_device(&meta.user_id, &meta.device_id)
            .await
            .unwrap();
        device.is_none().then_some(())
    })
    .await;
    let later = laptop.say(room.room_id(), "to those who are left").await;
    assert_eq!(desk.reads(room.room_id(), &later).await, "to those who are left");
}
