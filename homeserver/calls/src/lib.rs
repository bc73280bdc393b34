//! What calls need of the server: how clients reach an SFU and a TURN server.

mod http;
mod livekit;
pub mod media_policy;
mod turn;

pub use self::{
    http::{CallsApi, router},
    livekit::{
        EmbeddedTurn, ManagedError, ManagedOptions, ManagedSfu, NodeAddress, Permission, Sfu, SfuError,
        SfuHealth, SfuKey, SfuOptions, SfuPorts, SfuProxy, SfuState, Sfus, Source, TakenPort, TurnServer,
        TurnTls, UdpPorts, Unwell, ask_health, end_abandoned, find_program, livekit_version, observe,
    },
    turn::TurnOptions,
};
