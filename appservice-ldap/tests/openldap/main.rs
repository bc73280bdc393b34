//! The directory client against a real OpenLDAP with the sample company Nordlicht (`config/demo/nordlicht.ldif`)
//! and its troubles (`tests/fixtures/ldap/troubles.ldif`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests state their expectations"
)]

mod check;
mod domains;
mod failover;
mod groups;
mod login;
mod mirror;
mod names;
mod parts;
mod passwords;
mod referrals;
mod scripted;
mod slapd;
