//! The people of this server: accounts, profiles, devices, sessions and their tokens, password providers,
//! user-interactive authentication, account data, filters.
//!
//! [`Accounts`] is the whole of it: what other crates ask, the [`verifier`](Accounts::verifier) of access tokens, and
//! the [`router`](Accounts::router) of its endpoints.

mod access_tokens;
mod account_data;
mod account_data_cache;
mod accounts;
mod administration;
mod application_services;
mod audit;
mod bots;
mod claims;
mod deactivation;
mod devices;
mod directory_password;
mod email_validation;
mod emails;
mod error;
mod filters;
mod first_admin;
mod guests;
mod http;
mod last_seen;
mod login;
mod maintenance;
mod marks;
mod mirroring;
mod moderation;
mod oauth;
mod observer;
mod openid;
mod options;
mod password;
mod password_change;
mod profile;
mod provided;
mod provider;
mod recaptcha;
mod registration;
mod remote_profiles;
mod secret;
mod service_account;
mod sessions;
mod shared_secret;
mod signing_key;
mod store;
mod tags;
#[cfg(test)]
mod tests;
mod uia;
mod username;
mod verify;

pub use self::{
    access_tokens::AccessToken,
    account_data::{
        AccountDatum, GlobalAccountData, RoomAccountDataOfUser, TypedAccountData, default_push_rules,
        push_rules_content,
    },
    accounts::Accounts,
    administration::{AccountSource, DeviceOverview, UserOverview, UserQuery, UserState, UserToCreate},
    application_services::{ApplicationService, ApplicationServices},
    audit::{Act, AuditEntry, AuditQuery, REASON_BYTES_MAX},
    bots::{Bot, BotMakers, BotOptions},
    error::AccountError,
    http::Confirmed,
    mirroring::{LockOwner, Locking, MirroredPerson, PersonToCreate, PersonToUpdate},
    oauth::options::{DirectoryClaim, OAuthOptions, UpstreamOptions},
    observer::{AccountObserver, ProfileObserver, SessionObserver},
    options::{AccountsOptions, PasswordOptions, RegistrationOptions, SessionOptions},
    profile::Profile,
    provided::ProvidedAccount,
    provider::{
        ChangeAnswer, Identity, PasswordProvider, PasswordWarning, ProviderAnswer, ProviderError, Refusal,
        StandingAnswer, WhosePassword,
    },
    recaptcha::Recaptcha,
    remote_profiles::RemoteProfiles,
    service_account::ServiceAccount,
    store::devices::device_list_changed,
    uia::UiaRefusal,
};
