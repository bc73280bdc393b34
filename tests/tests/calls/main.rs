//! Calls as clients, SFUs and other servers see them: the authorisation, what follows when rights end, and leaving for
//! certain. The SFU is scripted; real media is in `tests/clients/calls`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod authorisation;
mod caller;
mod discovery;
mod federation;
mod homeserver;
mod leaving;
mod moderation;
mod off;
mod rights;
mod webhooks;
