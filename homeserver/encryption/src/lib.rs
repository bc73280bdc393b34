//! What end-to-end encryption needs of a server: device keys, one-time keys, cross-signing, key backup, to-device
//! messages, device lists, dehydrated devices. The server sees public keys and ciphertext only.
//!
//! [`Encryption`] is the whole of it: the [`router`](Encryption::router) of its endpoints, and what a sync tells.

mod claim;
mod cross_signing;
mod device_lists;
mod encryption;
mod error;
mod key_counts;
mod key_object;
mod recent;
mod store;
mod to_device;
mod upload;
mod users;

pub use self::{
    encryption::Encryption, error::EncryptionError, key_counts::KeyCounts, to_device::ToDevicePage,
};
