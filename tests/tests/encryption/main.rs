//! What end-to-end encryption needs of a server: keys, messages to devices, device lists, backups.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod backup;
mod cross_signing;
mod dehydrated;
mod device_lists;
mod identity;
mod keys;
mod to_device;
