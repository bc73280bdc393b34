//! The tables of accounts, in domain types.

pub(crate) mod account_data;
pub(crate) mod accounts;
pub(crate) mod administration;
pub(crate) mod audit;
pub(crate) mod devices;
pub(crate) mod email_validations;
pub(crate) mod emails;
pub(crate) mod filters;
pub(crate) mod mirroring;
pub(crate) mod profiles;
pub(crate) mod sessions;
pub(crate) mod short_tokens;
