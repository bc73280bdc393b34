//! A new subscription shows that it reaches its client (MSC4174 § New endpoint for pusher validation).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use echorift_storage::{Timestamp, UserNumber};
use rand::Rng as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Message, Pushed, Urgency, push};
use crate::{
    Push,
    error::PushError,
    pusher::{Channel, Pusher},
    store,
};

/// MSC4174 § Changes to `/pushers/set`.
const VALID_MS: i64 = 5 * 60 * 1000;
/// How often it is tried to tell a subscription its token; whoever set it can do so again.
const ATTEMPTS: u32 = 3;

/// The token that a client is to send back. Stored as a hash.
#[derive(Debug)]
pub(crate) struct AckToken {
    secret: String,
    pub expires: Timestamp,
}

impl AckToken {
    pub fn new(now: Timestamp) -> Self {
        Self {
            secret: URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 24]>()),
            expires: now.plus_ms(VALID_MS),
        }
    }

    pub fn hash(&self) -> String {
        hash(&self.secret)
    }
}

fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

/// What became of a token that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Activation {
    /// The pusher with this key is told of events from now on.
    Done {
        pushkey: String,
    },
    NoPusher,
    UnknownToken,
    ExpiredToken,
}

impl Push {
    /// Tells a new subscription its token, beside whatever else happens.
    pub(crate) fn ask_to_activate(&self, pusher: Arc<Pusher>, token: AckToken) {
        let push = self.clone();
        tokio::spawn(async move { push.tell_token(&pusher, &token).await });
    }

    async fn tell_token(&self, pusher: &Pusher, token: &AckToken) {
        let Channel::WebPush(subscription) = &pusher.channel else {
            return;
        };
        let payload = json!({ "app_id": &*pusher.key.app_id, "ack_token": token.secret });
        let message = Message {
            payload: &payload,
            urgency: Urgency::High,
            time_to_live: std::time::Duration::from_millis(VALID_MS.unsigned_abs()),
            topic: None,
        };
        for attempt in 1..=ATTEMPTS {
            match push(&self.0.gateways, &self.0.vapid, subscription, &message).await {
                Ok(Pushed::Taken) => return,
                Ok(Pushed::Refused | Pushed::Gone) => {
                    tracing::info!(
                        app_id = &*pusher.key.app_id,
                        "a push service refused a new subscription"
                    );
                    return;
                }
                Err(error) => {
                    tracing::info!(%error, attempt, "a new subscription could not be told its token");
                    tokio::time::sleep(self.back_off(attempt)).await;
                }
            }
        }
    }

    /// A client sends back the token that its subscription was told: notifications follow from now on. Once more does no
    /// harm.
    ///
    /// Errors: `NoPusher`, `UnknownToken`, `ExpiredToken`.
    pub(crate) async fn activate(
        &self,
        user: UserNumber,
        app_id: String,
        secret: &str,
    ) -> Result<(), PushError> {
        let (token_hash, now) = (hash(secret), self.0.accounts.clock().now());
        let from = self.0.database.log().visible();
        let acked = app_id.clone();
        let activated = self.0.database.writer().transact(move |tx| {
            Box::pin(
                async move { store::pushers::activate(tx, (user, &acked), &token_hash, (now, from)).await },
            )
        });
        match activated.await.map_err(PushError::Storage)? {
            Activation::Done { pushkey } => {
                self.0.pushers.activated(user, &app_id, &pushkey, from);
                Ok(())
            }
            Activation::NoPusher => Err(PushError::NoPusher),
            Activation::UnknownToken => Err(PushError::UnknownToken),
            Activation::ExpiredToken => Err(PushError::ExpiredToken),
        }
    }
}
