//! Web Push: browsers and phones are told without a gateway in between, and what they are told is sealed for them
//! (MSC4174, RFC 8030).
//!
//! A subscription comes from the browser, whose push service only carries what it cannot read. The service knows this
//! server by its VAPID key ([`vapid`]); the message is sealed with the subscription's keys ([`encryption`]) and says
//! what a gateway would be told, in one flat object ([`payload`]). A new subscription is told nothing but a token until
//! its client has sent that back ([`activation`]).

mod activation;
mod encryption;
mod payload;
mod subscription;
mod vapid;

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

pub(crate) use self::{
    activation::{AckToken, Activation},
    payload::{of_badge, of_event},
    subscription::{KINDS, Subscription},
    vapid::VapidKey,
};
use crate::delivery::{Answer, GatewayError, Gateways};

/// How soon a message is to wake a device (RFC 8030 § 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    High,
    Normal,
    Low,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Taken,
    /// The service wants no such message; trying again would not help.
    Refused,
    /// The subscription has ended (MSC4174 § New endpoint for pusher validation).
    Gone,
}

/// One message for a subscription.
pub(crate) struct Message<'a> {
    pub payload: &'a Value,
    pub urgency: Urgency,
    /// How long the service keeps it for a device that is away.
    pub time_to_live: Duration,
    /// Replaces one of the same topic that still waits (RFC 8030 § 5.4): at most 32 letters of URL-safe Base64.
    pub topic: Option<&'static str>,
}

/// Seals a message and hands it to the subscription's push service.
///
/// Errors: the service could not be asked or wants to be asked later.
pub(crate) async fn push(
    gateways: &Gateways,
    key: &VapidKey,
    subscription: &Subscription,
    message: &Message<'_>,
) -> Result<Pushed, GatewayError> {
    let body = encryption::seal(subscription, &payload::fitting(message.payload));
    let (Some(body), Some(headers)) = (body, headers(key, subscription, message)) else {
        tracing::warn!("a message for Web Push could not be sealed");
        return Ok(Pushed::Refused);
    };
    let Answer {
        status, retry_after, ..
    } = gateways.post(&subscription.url, headers, body).await?;
    match status.as_u16() {
        200..=299 => Ok(Pushed::Taken),
        403 | 404 | 410 => Ok(Pushed::Gone),
        408 | 425 | 429 | 500..=599 => Err(GatewayError::Status(status.as_u16(), retry_after)),
        other => {
            tracing::info!(status = other, "a push service refused a message");
            Ok(Pushed::Refused)
        }
    }
}

fn headers(key: &VapidKey, subscription: &Subscription, message: &Message<'_>) -> Option<HeaderMap> {
    let urgency = match message.urgency {
        Urgency::High => "high",
        Urgency::Normal => "normal",
        Urgency::Low => "low",
    };
    let mut headers = HeaderMap::new();
    let mut authorization = HeaderValue::try_from(key.authorization(&subscription.url)?).ok()?;
    authorization.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, authorization);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
    headers.insert("ttl", HeaderValue::from(message.time_to_live.as_secs()));
    headers.insert("urgency", HeaderValue::from_static(urgency));
    if let Some(topic) = message.topic {
        headers.insert("topic", HeaderValue::from_static(topic));
    }
    Some(headers)
}
