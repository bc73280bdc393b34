//! What end-to-end encryption adds to a sync: messages to the device, device lists, key counts (CS API § Extensions to
//! /sync of the modules Send-to-Device messaging and End-to-End Encryption).

use std::{fmt, str::FromStr};

use echorift_rooms::RoomError;
use echorift_storage::Position;
use echorift_web::MatrixError;
use ruma::{DeviceId, api::client::sync::sync_events::v3::Response};

use super::Scope;
use crate::{
    Syncs,
    sticky::StickyPlace,
    token::{BadToken, SyncToken},
};

/// A `since` or `next_batch`: where the client is, and where with the messages to its device and with sticky events if it
/// is behind with those, because they were more than one answer takes. As text `s<position>.<version>`,
/// `s<position>.<version>.<messages>` or `s<position>.<version>.<messages, if it is behind with those>.<sticky>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientToken {
    pub sync: SyncToken,
    pub messages: Option<Position>,
    pub sticky: Option<StickyPlace>,
}

impl ClientToken {
    /// Up to where the client has heard of messages to its device.
    pub fn messages_until(&self) -> Position {
        self.messages.unwrap_or(self.sync.position)
    }
}

impl fmt::Display for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sync.fmt(f)?;
        match (self.messages, &self.sticky) {
            (Some(messages), None) => write!(f, ".{messages}"),
            (Some(messages), Some(sticky)) => write!(f, ".{messages}.{sticky}"),
            (None, Some(sticky)) => write!(f, "..{sticky}"),
            (None, None) => Ok(()),
        }
    }
}

impl FromStr for ClientToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let (sync, messages) = match text.match_indices('.').nth(1) {
            Some((dot, _)) => (text.get(..dot), text.get(dot + 1..)),
            None => (Some(text), None),
        };
        let (messages, sticky) = match messages.and_then(|rest| rest.split_once('.')) {
            Some((messages, sticky)) => (Some(messages).filter(|text| !text.is_empty()), Some(sticky)),
            None => (messages, None),
        };
        let messages = messages.map(|messages| messages.parse().map_err(|_| BadToken));
        Ok(Self {
            sync: sync.ok_or(BadToken)?.parse()?,
            messages: messages.transpose()?.map(Position),
            sticky: sticky.map(str::parse).transpose()?,
        })
    }
}

impl Syncs {
    /// Adds what is new for the device, and how many keys it has left. `sticky` is where the client is with sticky events, if
    /// it is behind.
    pub(super) async fn add_device_news(
        &self,
        scope: &Scope<'_>,
        sticky: Option<StickyPlace>,
        response: &mut Response,
    ) -> Result<(), MatrixError> {
        let (encryption, reader, now) = (self.encryption(), scope.reader, scope.now);
        let page = encryption
            .to_device(reader.user, scope.device, scope.messages_after, now.position)
            .await
            .map_err(RoomError::from)?;
        response.to_device.events = page.events;
        response.next_batch = ClientToken {
            sync: now,
            messages: Some(page.up_to).filter(|up_to| *up_to < now.position),
            sticky,
        }
        .to_string();
        if let Some(after) = scope.after() {
            response.device_lists = encryption.device_lists(reader, after, now.position).await?;
        }
        self.add_key_counts(scope.reader.user, scope.device, response)
            .await
    }

    /// Adds how many keys the device has left, which every answer tells.
    pub(super) async fn add_key_counts(
        &self,
        user: echorift_storage::UserNumber,
        device: &DeviceId,
        response: &mut Response,
    ) -> Result<(), MatrixError> {
        let counts = self.encryption().key_counts(user, device).await;
        let counts = counts.map_err(RoomError::from)?;
        response.device_one_time_keys_count = counts.one_time;
        response.device_unused_fallback_key_types = Some(counts.unused_fallback);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_how_far_the_messages_were_told() {
        let sync = SyncToken {
            position: Position(17),
            ephemeral: 3,
        };
        let sticky = StickyPlace::all_until(Position(9));
        for (messages, sticky, until) in [
            (None, None, 17),
            (Some(Position(5)), None, 5),
            (None, Some(&sticky), 17),
            (Some(Position(5)), Some(&sticky), 5),
        ] {
            let sticky = sticky.cloned();
            let token = ClientToken {
                sync,
                messages,
                sticky,
            };
            assert_eq!(token.messages_until(), Position(until));
            assert_eq!(token.to_string().parse(), Ok(token));
        }
        for bad in [
            "",
            "s1",
            "s1.2.",
            "s1.2.x",
            "s1.2.3.4",
            "s1.2.3.",
            "s1.2..",
            "s1.2..4-5.",
            "t1.2.3",
        ] {
            assert_eq!(bad.parse::<ClientToken>(), Err(BadToken), "{bad}");
        }
    }
}
