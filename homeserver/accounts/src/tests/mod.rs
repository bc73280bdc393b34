//! What the accounts do as their clients see it: over the router, on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod account_data;
mod administration;
mod bad_input;
mod databases;
mod deactivation;
mod devices;
mod first_admin;
mod guests;
mod limits;
mod locking;
mod login;
mod profile;
mod providers;
mod registration;
mod server;
mod tokens;
mod uia;
mod upstream;
