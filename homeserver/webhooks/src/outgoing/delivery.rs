use echorift_rooms::Event;
use echorift_web::{
    LimitKind,
    outbound::{Redirects, read_limited},
};
use http::{HeaderMap, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::{
    Hook, HookError, Webhooks,
    hook::{Key, Kind, Outgoing},
    incoming::read_payload,
    secret, signature,
};

/// How long an answer may be that is to become a message.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What became of a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    Taken,
    /// The target wants no more.
    Gone,
    /// Why it was not taken, in a sentence.
    Failed(String),
}

/// The answer of a target that has taken a delivery.
struct Answer {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Webhooks {
    /// Posts an event to the hook's target, and writes what that answers into the room, if it may.
    ///
    /// Errors: `Room`, `Storage` if what is to be told could not be read.
    pub(super) async fn deliver(
        &self,
        hook: &Hook,
        settings: &Outgoing,
        event: &Event,
    ) -> Result<Delivered, HookError> {
        let described = self.describe(hook, event).await?;
        let id = format!("{}:{}", hook.id, event.pdu.event_id);
        let answer = match self.post(hook, &id, &described).await {
            Ok(answer) => answer,
            Err(refused) => return Ok(refused),
        };
        if settings.allow_replies
            && let Err(error) = self.reply(hook, event, &answer).await
        {
            tracing::info!(hook_id = hook.id, %error, "what a webhook's target answered was not written");
        }
        Ok(Delivered::Taken)
    }

    /// Posts something that is no event, for people to see whether it arrives.
    pub(crate) async fn deliver_test(&self, hook: &Hook) -> Delivered {
        let described = json!({ "kind": "test", "hook_id": hook.id, "text": "A test of this webhook." });
        let id = format!("{}:test-{}", hook.id, secret::random_id());
        match self.post(hook, &id, &described).await {
            Ok(_) => Delivered::Taken,
            Err(refused) => refused,
        }
    }

    /// What a target is told (docs/webhooks.md).
    async fn describe(&self, hook: &Hook, event: &Event) -> Result<Value, HookError> {
        #[derive(Deserialize)]
        struct Name {
            name: String,
        }
        #[derive(Deserialize)]
        struct Member {
            displayname: Option<String>,
        }
        #[derive(Deserialize)]
        struct Text {
            body: Option<String>,
        }
        let (rooms, pdu) = (&self.0.rooms, &event.pdu);
        let room = self.room_of(hook).await?;
        let view = room.view();
        let name: Option<Name> = rooms.state_content(&view.state, "m.room.name").await?;
        let member = rooms.membership(&view.state, &pdu.sender).await?;
        let member = member.and_then(|(_, event)| event.pdu.content_as::<Member>().ok());
        let text = pdu.content_as::<Text>().ok().and_then(|text| text.body);
        let mut described = json!({
            "event_id": pdu.event_id,
            "type": pdu.event_type.to_string(),
            "sender": pdu.sender,
            "origin_server_ts": pdu.origin_server_ts,
            "content": &*pdu.content,
        });
        if let (Some(state_key), Some(fields)) = (&pdu.state_key, described.as_object_mut()) {
            fields.insert("state_key".to_owned(), json!(state_key));
        }
        Ok(json!({
            "kind": "event",
            "hook_id": hook.id,
            "delivery_id": format!("{}:{}", hook.id, pdu.event_id),
            "room": { "room_id": room.id, "name": name.map(|name| name.name) },
            "sender": { "user_id": pdu.sender, "display_name": member.and_then(|member| member.displayname) },
            "text": text,
            "event": described,
        }))
    }

    /// Posts to the hook's target; what it answers is read only if it can become a message.
    async fn post(&self, hook: &Hook, id: &str, described: &Value) -> Result<Answer, Delivered> {
        let Kind::Outgoing(settings, Key(key)) = &hook.kind else {
            return Err(Delivered::Failed("This webhook has no target.".to_owned()));
        };
        let failed = |why: String| Delivered::Failed(why);
        let url = Url::parse(&settings.url).map_err(|error| failed(error.to_string()))?;
        let body = described.to_string();
        let seconds = self.0.rooms.clock().now().0.div_euclid(1_000);
        let request = self
            .0
            .outbound
            .request(Method::POST, url, Redirects::Never)
            .map_err(|error| failed(error.to_string()))?
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-echorift-hook", &hook.id)
            .header("x-echorift-delivery", id)
            .header(signature::TIMESTAMP, seconds)
            .header(
                signature::SIGNATURE,
                signature::sign(key, seconds, body.as_bytes()),
            )
            .body(body);
        // Never closed.
        let _place = self.0.deliveries.acquire().await;
        let exchange = async {
            let response = self
                .0
                .outbound
                .send(request)
                .await
                .map_err(|error| failed(error.to_string()))?;
            let status = response.status();
            if status == StatusCode::GONE {
                return Err(Delivered::Gone);
            }
            if !status.is_success() {
                return Err(failed(format!("The target answered {}.", status.as_u16())));
            }
            let headers = response.headers().clone();
            let body = match settings.allow_replies {
                // What is too long is no message, and the delivery was taken all the same.
                true => read_limited(response, ANSWER_BYTES_MAX)
                    .await
                    .unwrap_or_default()
                    .to_vec(),
                false => Vec::new(),
            };
            Ok(Answer { headers, body })
        };
        match tokio::time::timeout(self.0.options.request_timeout, exchange).await {
            Ok(answered) => answered,
            Err(_) => Err(failed("The target did not answer in time.".to_owned())),
        }
    }

    /// Writes what a target answered as a reply to the event, if it is a message at all.
    async fn reply(&self, hook: &Hook, event: &Event, answer: &Answer) -> Result<(), HookError> {
        let is_object = answer.body.trim_ascii_start().starts_with(b"{");
        if !is_object {
            return Ok(());
        }
        let Ok(composed) = read_payload(&answer.headers, &answer.body) else {
            return Ok(());
        };
        let limited = self.0.limits.check(LimitKind::Webhooks, &hook.id);
        limited.map_err(HookError::Limited)?;
        let mut content = composed.content(None);
        let relation = json!({ "m.in_reply_to": { "event_id": event.pdu.event_id } });
        content.insert("m.relates_to".to_owned(), relation);
        self.write(hook, content).await
    }
}
