//! A client of matrix-rust-sdk, one device of one person, for the stories in `tests/`.

#![recursion_limit = "256"]

mod server;

pub use server::Server;

use std::{
    collections::HashSet,
    ops::Deref,
    sync::{Arc, Mutex},
    time::Duration,
};

use matrix_sdk::{
    Client, Room, SessionMeta,
    config::SyncSettings,
    encryption::{
        BackupDownloadStrategy, EncryptionSettings,
        verification::{Verification, VerificationRequest},
    },
    ruma::{
        EventId, OwnedEventId, RoomId,
        api::client::{
            account::register::v3::Request as Register,
            room::create_room::v3::Request as CreateRoom,
            uiaa::{AuthData, Dummy},
        },
        events::{
            InitialStateEvent,
            key::verification::mac::{OriginalSyncKeyVerificationMacEvent, ToDeviceKeyVerificationMacEvent},
            room::encryption::RoomEncryptionEventContent,
            room::message::RoomMessageEventContent,
        },
    },
};
use tokio::task::JoinHandle;

/// Everybody's password.
const PASSWORD: &str = "a password for stories";
/// How long anything may take before the story fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; fails, naming `what`, when there is none for too long.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer,
        Err(_) => panic!("it never happened that {what}"),
    }
}

async fn client(server: &Server) -> Client {
    let settings = EncryptionSettings {
        auto_enable_cross_signing: true,
        auto_enable_backups: true,
        backup_download_strategy: BackupDownloadStrategy::AfterDecryptionFailure,
    };
    let builder = Client::builder().homeserver_url(server.base_url());
    builder.with_encryption_settings(settings).build().await.unwrap()
}

/// A logged-in device.
pub struct Device {
    client: Client,
    sync: Option<JoinHandle<()>>,
    confirmations: Confirmations,
}

/// Of which comparisons of emoji a device has heard, by `/sync`, that somebody confirmed them.
#[derive(Clone, Default)]
struct Confirmations(Arc<Mutex<HashSet<String>>>);

impl Confirmations {
    /// Those that come to `client`, in rooms and straight to the device. Handlers run when the event has been worked in.
    fn to(client: &Client) -> Self {
        let heard = Self::default();
        let (in_rooms, to_device) = (heard.clone(), heard.clone());
        client.add_event_handler(async move |event: OriginalSyncKeyVerificationMacEvent| {
            in_rooms.add(event.content.relates_to.event_id.to_string());
        });
        client.add_event_handler(async move |event: ToDeviceKeyVerificationMacEvent| {
            to_device.add(event.content.transaction_id.to_string());
        });
        heard
    }

    fn add(&self, flow: String) {
        self.0.lock().unwrap().insert(flow);
    }

    fn has(&self, flow: &str) -> bool {
        self.0.lock().unwrap().contains(flow)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Some(sync) = &self.sync {
            sync.abort();
        }
    }
}

impl Deref for Device {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Device {
    /// Makes an account and its first device, which sets up cross-signing and the key backup.
    pub async fn register(server: &Server, person: &str) -> Self {
        let client = client(server).await;
        let mut request = Register::new();
        request.username = Some(person.to_owned());
        request.password = Some(PASSWORD.to_owned());
        request.auth = Some(AuthData::Dummy(Dummy::new()));
        client.matrix_auth().register(request).await.unwrap();
        Self::set_up(client).await
    }

    /// One more device of a person.
    pub async fn log_in(server: &Server, person: &str) -> Self {
        let client = client(server).await;
        client
            .matrix_auth()
            .login_username(person, PASSWORD)
            .send()
            .await
            .unwrap();
        Self::set_up(client).await
    }

    async fn set_up(client: Client) -> Self {
        client.encryption().wait_for_e2ee_initialization_tasks().await;
        Self {
            confirmations: Confirmations::to(&client),
            client,
            sync: None,
        }
    }

    /// Follows `/sync` (version 2) in the background.
    pub fn syncing(mut self) -> Self {
        let client = self.client.clone();
        self.sync = Some(tokio::spawn(async move {
            loop {
                let settings = SyncSettings::new().timeout(Duration::from_secs(10));
                // It ends when the server is away: a client tries again.
                let _ = client.sync(settings).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }));
        self
    }

    pub fn meta(&self) -> SessionMeta {
        self.client.session_meta().unwrap().clone()
    }

    /// Makes an encrypted room and brings the other device's owner into it.
    pub async fn encrypted_room_with(&self, other: &Device) -> Room {
        let mut request = CreateRoom::new();
        request.invite = vec![other.meta().user_id];
        let encryption = RoomEncryptionEventContent::with_recommended_defaults();
        request.initial_state = vec![InitialStateEvent::with_empty_state_key(encryption).to_raw_any()];
        let room = self.create_room(request).await.unwrap();
        other.joins(room.room_id()).await;
        let them = other.meta().user_id;
        eventually("the other has joined", async || {
            let member = room.get_member_no_sync(&them).await.unwrap();
            let state = member?.membership().clone();
            (state == matrix_sdk::ruma::events::room::member::MembershipState::Join).then_some(())
        })
        .await;
        room
    }

    /// Waits for the invitation and accepts it.
    pub async fn joins(&self, room: &RoomId) {
        let invited = eventually("an invitation comes", async || self.get_room(room)).await;
        invited.join().await.unwrap();
    }

    pub async fn say(&self, room: &RoomId, text: &str) -> OwnedEventId {
        let room = eventually("the room is known", async || self.get_room(room)).await;
        let message = RoomMessageEventContent::text_plain(text);
        room.send(message).await.unwrap().response.event_id
    }

    /// The text of a message, as soon as this device can decrypt it.
    pub async fn reads(&self, room: &RoomId, event: &EventId) -> String {
        let room = eventually("the room is known", async || self.get_room(room)).await;
        eventually("the message can be read", async || {
            let event = room.event(event, None).await.ok()?;
            assert!(
                event.encryption_info().is_some() || event.kind.is_utd(),
                "the message was not encrypted"
            );
            let content: serde_json::Value = event.raw().get_field("content").ok()??;
            content["body"].as_str().map(ToOwned::to_owned)
        })
        .await
    }

    /// Compares emoji with `other`, which confirms them too.
    pub async fn compares_emoji(&self, request: VerificationRequest, other: &Device) {
        let (me, flow) = (self.meta().user_id, request.flow_id().to_owned());
        let received = eventually("the request arrives", async || {
            // A verification of another person travels in a room, to which one is invited.
            for room in other.invited_rooms() {
                room.join().await.unwrap();
            }
            other.encryption().get_verification_request(&me, &flow).await
        })
        .await;
        received.accept().await.unwrap();
        eventually("the request is accepted", async || {
            request.is_ready().then_some(())
        })
        .await;
        let mine = request.start_sas().await.unwrap().unwrap();
        let theirs = eventually("the comparison begins", async || {
            other
                .encryption()
                .get_verification(&me, &flow)
                .await
                .and_then(Verification::sas)
        })
        .await;
        theirs.accept().await.unwrap();
        eventually("both see emoji", async || {
            (mine.can_be_presented() && theirs.can_be_presented()).then_some(())
        })
        .await;
        let names = |emoji: Option<[matrix_sdk::encryption::verification::Emoji; 7]>| {
            emoji.unwrap().map(|emoji| emoji.description)
        };
        assert_eq!(names(mine.emoji()), names(theirs.emoji()));
        mine.confirm().await.unwrap();
        // Of two who confirm at the same moment, the SDK may say to one that the other is done before it says what it
        // confirmed: the two requests race. Then the one waits for the rest for ever.
        eventually("the other hears of the confirmation", async || {
            other.confirmations.has(&flow).then_some(())
        })
        .await;
        theirs.confirm().await.unwrap();
        eventually("both are done", async || {
            (mine.is_done() && theirs.is_done()).then_some(())
        })
        .await;
    }
}
