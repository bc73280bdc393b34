//! The SFU that a server runs itself: that it runs, stays, comes back and ends when it should, and what of it is shown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests say what they expect by failing"
)]

mod coturn;
mod external;
mod outlives;
mod policy;
mod proxy;
mod signal;
mod supervised;
mod without;
