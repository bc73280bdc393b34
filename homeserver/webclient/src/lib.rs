//! What browsers get at the server's own address: the web client, and what it is told before anybody has logged in.
//!
//! - [`WebClient`] answers for every path that is no endpoint (`http`): a file of the client, or its page, where its own
//!   routes lead.
//! - `place` reads paths, `negotiation` the request's headers, `content_type` the names of files.
//! - `files` are the client's: those inside the binary, or those of a folder.
//! - `page` fills in the client's page, `policy` says what it may do in the browser.
//! - [`ClientConfig`] is `/config.json`.

mod client;
mod config;
mod content_type;
mod files;
mod http;
mod negotiation;
mod page;
mod place;
mod policy;

pub use self::{
    client::{FirstAccount, WebClient, WebClientOptions},
    config::{ClientConfig, Features, Limits, Login, PushFeature, Support},
    http::OwnOrigin,
    policy::Connections,
};
