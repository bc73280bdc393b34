//! Application services: bots and bridges that the operator registers by files (Application Service API).
//!
//! - [`registration`] reads the files and says what is wrong with them; [`registry`] compiles their namespaces, so that who
//!   is concerned by a user, an alias or a room is one look whatever the number of services.
//! - [`interest`] says which services an event concerns, as the room was at that event; [`pages`] reads the log once for
//!   all services, and its end from memory ([`recent`]).
//! - [`delivery`] has a cursor for each service, and sends what it has not acknowledged yet, for as long as it takes.
//! - [`ephemeral`] holds what is not in the log: typing, presence, receipts.
//! - [`queries`] asks services for users, rooms and third-party networks, [`keys`] for keys of their users' devices;
//!   [`client`] is the way to them.
//! - [`AppServices`] is the whole of it: what accounts and rooms ask, and the [`router`](AppServices::router) of its
//!   endpoints.

mod client;
mod delivery;
mod device_lists;
mod encryption;
mod ephemeral;
mod error;
mod http;
mod interest;
mod keys;
mod pages;
mod queries;
mod recent;
mod registration;
mod registry;
mod services;
mod status;
mod store;

pub use self::{
    error::ServicesError,
    registration::{RegistrationFault, RegistrationFaults, check_files},
    services::{AppServices, AppServicesOptions, AppServicesParts},
    status::ServiceStatus,
};
