//! Devices and their keys between servers (SS API § Device Management, § End-to-End Encryption).
//!
//! - `http` answers other servers; `peers` asks them on behalf of local clients.
//! - `received` follows what they say of their users' devices, and delivers their messages to local devices.
//! - `outgoing` is what they are to be sent of ours.

mod http;
mod outgoing;
mod peers;
mod received;

pub use self::outgoing::DeviceEdus;
pub(crate) use self::{
    http::routes,
    received::{receive_device_list, receive_messages, receive_signing_keys},
};
