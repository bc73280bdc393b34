use echorift_encryption::{DeviceUpdate, EncryptionError, KeyUpdate, ReceivedMessages};
use ruma::{
    ServerName, UInt,
    api::federation::transactions::edu::{
        DeviceListUpdateContent, DirectDeviceContent, SigningKeyUpdateContent,
    },
};

use crate::{Crossing, Federation, FederationError, ephemeral::Received};

/// `m.direct_to_device` (SS API § Send-to-device messaging): durable before this returns.
pub(crate) async fn receive_messages(
    federation: &Federation,
    origin: &ServerName,
    content: DirectDeviceContent,
) -> Result<Received, FederationError> {
    if content.sender.server_name() != origin {
        return Ok(Received::Refused("its sender is of another server"));
    }
    let mut messages = content.messages;
    messages.retain(|user, _| federation.policy().allows(origin, Crossing::User(user)));
    let received = ReceivedMessages {
        sender: content.sender,
        event_type: content.ev_type.to_string(),
        message_id: content.message_id.to_string(),
        messages,
    };
    match federation.encryption().receive_messages(received).await {
        Ok(_) => Ok(Received::Taken),
        Err(EncryptionError::Storage(error)) => Err(error.into()),
        Err(error) => {
            tracing::debug!(%origin, %error, "messages to devices were refused");
            Ok(Received::Refused("it is too large"))
        }
    }
}

/// `m.device_list_update` (SS API § Device Management), likewise.
pub(crate) async fn receive_device_list(
    federation: &Federation,
    origin: &ServerName,
    content: DeviceListUpdateContent,
) -> Result<Received, FederationError> {
    if content.user_id.server_name() != origin {
        return Ok(Received::Refused("its user is of another server"));
    }
    let update = DeviceUpdate {
        device_id: content.device_id,
        display_name: content.device_display_name,
        stream_id: content.stream_id.into(),
        prev_id: content.prev_id.into_iter().map(UInt::into).collect(),
        is_deleted: content.deleted.unwrap_or(false),
        keys: content.keys,
    };
    let encryption = federation.encryption();
    encryption.receive_device_update(&content.user_id, update).await?;
    Ok(Received::Taken)
}

/// `m.signing_key_update` (SS API § End-to-End Encryption), likewise.
pub(crate) async fn receive_signing_keys(
    federation: &Federation,
    origin: &ServerName,
    content: SigningKeyUpdateContent,
) -> Result<Received, FederationError> {
    if content.user_id.server_name() != origin {
        return Ok(Received::Refused("its user is of another server"));
    }
    let update = KeyUpdate {
        master: content.master_key,
        self_signing: content.self_signing_key,
    };
    let encryption = federation.encryption();
    encryption.receive_key_update(&content.user_id, update).await?;
    Ok(Received::Taken)
}
