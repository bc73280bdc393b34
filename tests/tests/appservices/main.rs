//! Application services: what they are told, and what they may do. The service is the tests' own, a real HTTP server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod accounts;
mod crash;
mod encryption;
mod ephemeral;
mod events;
mod federation;
mod keys;
mod operation;
mod queries;
mod service;
