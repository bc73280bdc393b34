//! Rooms: how they begin, who is in them, how they are found, and what is said and read in them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod aliases;
mod creation;
mod encryption_default;
mod listing;
mod membership;
mod power;
mod reading;
mod receipts;
mod relations;
mod restricted;
mod sending;
mod server_notices;
mod spaces;
mod upgrade;
mod visibility;
