//! What calls need of the server: so far, how clients reach a TURN server.

mod http;
mod turn;

pub use self::{
    http::{CallsApi, router},
    turn::TurnOptions,
};
