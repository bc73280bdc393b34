//! What administrators see and do by the administration API.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod audit;
mod calls;
mod description;
mod directory;
mod federation;
mod media;
mod reports;
mod rooms;
mod server;
mod users;

/// `/_echorift/admin/v1/…` with every part percent-encoded.
fn admin<const N: usize>(parts: [&str; N]) -> String {
    echorift_tests::path("/_echorift/admin/v1", &parts)
}
