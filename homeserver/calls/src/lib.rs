//! What calls need of the server: events that are sent later ([`DelayedEvents`]), so that who is gone leaves; and how
//! clients reach a TURN server.

mod delayed;
mod http;
mod livekit;
mod turn;

pub use self::{
    delayed::{Asker, DelayedError, DelayedEvent, DelayedEventOptions, DelayedEvents, Fate, Watched},
    http::{CallsApi, router},
    livekit::{Permission, Sfu, SfuError, SfuOptions, Sfus, Source},
    turn::TurnOptions,
};
