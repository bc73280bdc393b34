//! The tables of pushers, in domain types.

pub(crate) mod log;
pub(crate) mod pushers;
pub(crate) mod vapid;
