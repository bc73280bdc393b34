#![allow(clippy::unwrap_used, reason = "tests")]

mod away;
mod edus;
mod many;
mod sticky;
mod traffic;
