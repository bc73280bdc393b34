//! Calls by MatrixRTC on LiveKit: who gets into them and with which rights, and that who is gone is gone.
//!
//! - [`Sfus`] are the media servers, administered over their API (`livekit`).
//! - Tokens for them are issued in `authorisation`, under the names of `names`.
//! - Events that are sent later are kept in `delayed`: so that who is gone leaves ([`DelayedEvents`]).
//! - What follows when rights end stands in `rights`, and when people leave in `leaving`.
//! - [`router`] serves the endpoints (`http`).

mod authorisation;
mod calls;
mod delayed;
mod error;
mod holders;
mod http;
mod leaving;
mod livekit;
pub mod media_policy;
mod names;
mod options;
mod overview;
mod peers;
mod rights;
mod store;
mod sweep;
mod turn;
mod webhooks;

pub use self::{
    authorisation::{MemberClaim, MemberParts, SeatClaim},
    calls::{Calls, CallsParts, Seat},
    delayed::{Asker, DelayedError, DelayedEvent, DelayedEventOptions, DelayedEvents, Fate, Watched},
    error::CallError,
    http::{CallsApi, CallsDiscovery, SERVICE_PATH, WEBHOOK_PATH, router},
    livekit::{
        EmbeddedTurn, ManagedError, ManagedOptions, ManagedSfu, NodeAddress, Permission, Sfu, SfuError,
        SfuHealth, SfuKey, SfuOptions, SfuPorts, SfuProxy, SfuState, Sfus, Source, TakenPort, TurnServer,
        TurnTls, UdpPorts, Unwell, address_towards, ask_health, end_abandoned, find_program, livekit_version,
        observe,
    },
    options::{CallsOptions, Publishers},
    overview::{CallOverview, CallsOverview, SfuOverview},
    peers::{CallPeers, PeerTokenRequest},
    rights::Participant,
    turn::TurnOptions,
};
