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
    token::{BadToken, SyncToken},
};

/// A `since` or `next_batch`: where the client is, and where with the messages to its device if it is behind with
/// those, because they were more than one answer takes. As text `s<position>.<version>` or
/// `s<position>.<version>.<position>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientToken {
    pub sync: SyncToken,
    pub messages: Option<Position>,
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
        match self.messages {
            Some(messages) => write!(f, ".{messages}"),
            None => Ok(()),
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
        let messages = messages.map(|messages| messages.parse().map_err(|_| BadToken));
        Ok(Self {
            sync: sync.ok_or(BadToken)?.parse()?,
            messages: messages.transpose()?.map(Position),
        })
    }
}

impl Syncs {
    /// Adds what is new for the device, and how many keys it has left.
    pub(super) async fn add_device_news(
        &self,
        scope: &Scope<'_>,
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
        let up_to_date = ClientToken { sync, messages: None };
        let behind = ClientToken {
            messages: Some(Position(5)),
            ..up_to_date
        };
        for (token, until) in [(up_to_date, 17), (behind, 5)] {
            assert_eq!(token.to_string().parse(), Ok(token));
            assert_eq!(token.messages_until(), Position(until));
        }
        for bad in ["", "s1", "s1.2.", "s1.2.x", "s1.2.3.4", "t1.2.3"] {
            assert_eq!(bad.parse::<ClientToken>(), Err(BadToken), "{bad}");
        }
    }
}
