//! The SFUs: LiveKit servers that carry the media of calls.

mod health;
mod managed;
mod proxy;
mod sfu;

pub(crate) use self::health::label;
pub use self::{
    health::{SfuHealth, SfuState, Unwell, ask_health, observe},
    managed::{
        EmbeddedTurn, ManagedError, ManagedOptions, ManagedSfu, NodeAddress, SfuKey, SfuPorts, TakenPort,
        TurnServer, TurnTls, UdpPorts, address_towards, end_abandoned, find_program, livekit_version,
    },
    proxy::SfuProxy,
    sfu::{Permission, Sfu, SfuError, SfuOptions, Sfus, Source},
};
