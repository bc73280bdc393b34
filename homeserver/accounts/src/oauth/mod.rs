//! The OAuth 2.0 API (CS API § OAuth 2.0 API): clients register, people let them in on the server's own pages, and
//! clients exchange what they got for the same sessions that `/login` opens.
//!
//! A request for authorisation is never stored: it travels as the query of the page that the person sees, and is
//! checked whenever it comes back. The first thing that is written is the code.

pub(crate) mod authorization;
pub(crate) mod browsers;
pub(crate) mod client;
pub(crate) mod clients;
pub(crate) mod devices;
pub(crate) mod error;
pub(crate) mod form;
pub(crate) mod http;
pub(crate) mod options;
pub(crate) mod pages;
pub(crate) mod pkce;
pub(crate) mod redirect;
pub(crate) mod rendezvous;
pub(crate) mod resets;
pub(crate) mod scope;
pub(crate) mod sign_up;
pub(crate) mod store;
pub(crate) mod tokens;
pub(crate) mod upstream;

use self::{options::OAuthOptions, pages::Pages, rendezvous::Rendezvous, upstream::Upstreams};
use crate::AccountError;

/// What the OAuth 2.0 API keeps in memory.
pub(crate) struct OAuth {
    pub(crate) pages: Pages,
    pub(crate) rendezvous: Rendezvous,
    pub(crate) upstreams: Upstreams,
}

impl OAuth {
    /// Error: `Page` if a template of ours is broken.
    pub(crate) fn new(options: &OAuthOptions, public_base_url: &str) -> Result<Self, AccountError> {
        Ok(Self {
            pages: Pages::new(public_base_url)?,
            rendezvous: Rendezvous::default(),
            upstreams: Upstreams::new(options),
        })
    }
}
