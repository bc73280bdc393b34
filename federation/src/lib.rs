//! Federation: the server-server API in both directions (SS API), for the company's regions and its partners.
//!
//! - [`FederationClient`] asks other servers: it finds them (`discovery`), signs (`client`) and backs off
//!   (`destinations`). [`Keys`] holds everybody's signing keys (`keys`), [`Policy`] says who may do what (`policy`).
//! - [`Signed`] is a request of another server, with its signature checked (`origin`).
//! - `outbound` reads the log and sends what is ours; `inbound` receives transactions and works them off.
//! - `membership` joins, leaves, invites and knocks; `queries` answers and asks about rooms and people; `encryption`
//!   is about devices and their keys, `ephemeral` about receipts, typing and presence, `media` about files.

mod calls;
mod check;
mod client;
mod destinations;
mod discovery;
mod encryption;
mod ephemeral;
mod error;
mod federation;
mod inbound;
mod keys;
mod media;
mod membership;
mod options;
mod origin;
mod outbound;
mod overview;
mod peers;
mod policy;
mod queries;
#[cfg(test)]
mod testing;

pub use self::{
    check::{FederationCheck, Finding, Severity},
    client::{Answer, CanonicalBody, FederationClient, STATE_ANSWER_BYTES_MAX, SendOptions},
    destinations::Destinations,
    encryption::DeviceEdus,
    ephemeral::{EphemeralSink, ReceivedPresence},
    error::FederationError,
    federation::{Federation, FederationParts},
    keys::{HeldKeys, Keys, ValidAt, WantedKeys},
    options::{FederationOptions, HostAndPort, OldKey},
    origin::Signed,
    outbound::{
        DestinationState, DestinationStatus, DurableEdus, DurableFuture, DurablePage, LastFailure, Outbound,
        RawEdu,
    },
    overview::{DestinationOverview, Reachability, ServerVersion},
    policy::{Crossing, FederationMode, Glob, Partner, Policy, PolicyOptions},
    queries::{PolicyRefusal, PolicyVerdict},
};
