//! Webhooks: ways into a room and out of it for programs that speak no Matrix.
//!
//! - A [`Hook`] belongs to one room and has an account of its own, which is a member there: everybody in the room sees
//!   it, and who removes the account ends the hook.
//! - `incoming`: somebody posts JSON to an address, and the hook's account writes it into the room (`message`).
//! - `outgoing`: each hook reads the room from its own place in the log and posts what fits to an address, in order.
//! - `manage`: who may set the room's state makes, changes and ends its hooks.

mod error;
mod hook;
mod http;
mod incoming;
mod manage;
mod message;
mod options;
mod outgoing;
mod registry;
mod secret;
mod signature;
mod store;
mod webhooks;

pub use self::{
    error::HookError,
    hook::{Hook, HookState},
    options::WebhooksOptions,
    webhooks::{Webhooks, WebhooksParts},
};
