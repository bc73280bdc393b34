//! Signing in by the browser: what clients, people and forgers get from the OAuth 2.0 API and its pages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod account;
mod browser;
mod client;
mod codes;
mod devices;
mod directory;
mod forgery;
mod metadata;
mod refresh;
mod registration;
mod rendezvous;
mod sign_up;
mod upstream;
