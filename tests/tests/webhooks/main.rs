//! Webhooks in both directions, bots and access tokens for programs. Targets are the tests' own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod administration;
mod bots;
mod hooks;
mod incoming;
mod manage;
mod outgoing;
mod receiver;
mod signed;
mod tokens;
