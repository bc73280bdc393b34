//! What every HTTP route shares: requests and responses in ruma's types, the authenticated session, Matrix error
//! bodies, rate limits; and the client for requests to others ([`outbound`]).

mod error;
mod guests;
mod in_path;
pub mod outbound;
mod rate_limit;
mod ruma_http;
mod scopes;
mod session;

pub use self::{
    error::MatrixError,
    in_path::InPath,
    rate_limit::{ClientAddress, LimitKind, RateLimit, RateLimits},
    ruma_http::{Body, Routes, Ruma, parse_body, parse_request, read_body},
    scopes::{NoScopes, Scope, Scopes},
    session::{
        Assertion, BearerToken, MaybeSession, ServiceSession, Session, SessionEvenLocked, TokenVerifier,
        Verifier,
    },
};

/// A future that can be returned by a trait object.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
