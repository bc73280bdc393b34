//! Accounts, sessions, what people keep about themselves, and the company's directory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod absent;
mod deactivation;
mod devices;
mod directory;
mod directory_domains;
mod directory_passwords;
mod discovery;
mod fallback;
mod guests;
mod login;
mod moderation;
mod own_data;
mod passwords;
mod profile;
mod registration;
mod sessions;
mod turn;
