//! Push gateways, letters, and what people are told by them. Gateway and mail server are the tests' own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod badges;
mod browser;
mod delivery;
mod digests;
mod emails;
mod gateway;
mod mail_server;
mod notifications;
mod passwords;
mod pushers;
mod ringing;
mod rules;
mod web_push;
