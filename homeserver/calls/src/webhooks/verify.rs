use livekit_api::{
    access_token::{Claims, TokenVerifier},
    webhooks::WebhookReceiver,
};
use livekit_protocol::WebhookEvent;

use crate::{CallError, Calls, Sfu};

impl Calls {
    /// A webhook, if it is signed with the key of an SFU, and the SFUs that have that key. The signature covers the body's
    /// hash, which is compared before the body is read.
    ///
    /// Error: `ForgedWebhook`.
    pub(super) fn verify(
        &self,
        body: &str,
        authorization: &str,
    ) -> Result<(Vec<Sfu>, WebhookEvent), CallError> {
        let forged = |reason: &dyn std::fmt::Display| {
            tracing::info!(%reason, "a webhook was refused");
            metrics::counter!("echorift_calls_forged_webhooks_total").increment(1);
            CallError::ForgedWebhook
        };
        // Only to find the key by; nothing of it is believed before it was checked.
        let claims = Claims::from_unverified(authorization).map_err(|error| forged(&error))?;
        let sfus: Vec<Sfu> = self.sfus().by_key(&claims.iss).cloned().collect();
        let sfu = sfus.first().ok_or_else(|| forged(&"no SFU has this key"))?;
        let (key, secret) = (&sfu.options().api_key, &sfu.options().api_secret);
        let receiver = WebhookReceiver::new(TokenVerifier::with_api_key(key, secret));
        let event = receiver
            .receive(body, authorization)
            .map_err(|error| forged(&error))?;
        Ok((sfus, event))
    }
}
