//! What calls need of the server: so far, how clients reach a TURN server.

mod http;
mod livekit;
mod turn;

pub use self::{
    http::{CallsApi, router},
    livekit::{Permission, Sfu, SfuError, SfuOptions, Sfus, Source},
    turn::TurnOptions,
};
