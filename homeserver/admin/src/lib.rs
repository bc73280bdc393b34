//! What the administration API shows and does (`/_echorift/admin/v1`), for the web client's administration pages and for
//! operators' scripts.
//!
//! - [`Admin`] holds the features that it looks into; they do the work, each by functions of its own.
//! - [`router`] serves the endpoints (`http`); [`openapi`] describes them, made from the same code.
//! - Whatever changes something is remembered in the audit log, in the same commit where one commit can hold both.
//! - [`Traffic`] counts what goes through the server; `sampling` makes `series` of it, and `health` says how the parts do.

mod admin;
mod administrator;
mod extract;
mod health;
mod http;
mod paging;
mod sampling;
mod series;
mod store;
mod traffic;

pub use self::{
    admin::{Admin, AdminParts, DirectoryParts},
    http::{openapi, router},
    traffic::{Stream, Traffic},
};
