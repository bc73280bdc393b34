//! What must hold whatever happens: nothing acknowledged is lost, nothing comes twice, and a copy is a copy.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod backup;
mod command_line;
mod concurrency;
mod crash;
