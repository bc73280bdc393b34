//! What end-to-end encryption needs of a server: device keys, one-time keys, cross-signing, key backup, to-device
//! messages, device lists, dehydrated devices. The server sees public keys and ciphertext only.
//!
//! [`Encryption`] is the whole of it: the [`router`](Encryption::router) of its endpoints, and what a sync tells.
//!
//! - What devices publish: `upload`, `claim`, `key_counts`, `dehydrated`.
//! - What users publish: `cross_signing`, `signatures`; who may see it: `user_keys`, `query`, `device_lists`.
//! - What devices send each other: `send`, `transactions`, `to_device`.
//! - Users of other servers, in all of this: `remote`.
//! - What application services are told of many users at once: `services`; what they are asked: `service_keys`.
//! - Backups of room keys: `backup`.

mod backup;
mod claim;
mod cross_signing;
mod dehydrated;
mod device_lists;
mod encryption;
mod error;
mod http;
mod key_counts;
mod key_object;
mod maintenance;
mod query;
mod recent;
mod remote;
mod send;
mod service_keys;
mod services;
mod signatures;
mod store;
#[cfg(test)]
mod testing;
mod to_device;
mod transactions;
mod upload;
mod user_keys;
mod users;

pub use self::{
    encryption::Encryption,
    error::EncryptionError,
    key_counts::KeyCounts,
    remote::{
        DeviceUpdate, KeyUpdate, OutgoingEdu, ReceivedMessages, RemoteFailure, RemoteFuture, RemoteKeys,
    },
    service_keys::ServiceKeys,
    services::DeviceMessage,
    to_device::ToDevicePage,
};
