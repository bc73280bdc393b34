use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use echorift_accounts::Accounts;
use echorift_storage::{Clock, Database, Timestamp};
use echorift_web::RateLimits;
use echorift_web::outbound::Outbound;

use crate::arrivals::Arrivals;
use crate::blobs::{self, BlobStore};
use crate::previews::Previews;
use crate::remote::Remote;
use crate::staging::Staging;
use crate::thumbnails::Thumbnails;
use crate::{MediaError, MediaOptions, http, sweep};

/// The content repository. Cheap to clone.
#[derive(Clone)]
pub struct Media(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) options: MediaOptions,
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) accounts: Accounts,
    pub(crate) limits: Arc<RateLimits>,
    pub(crate) staging: Staging,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) arrivals: Arrivals,
    pub(crate) thumbnails: Thumbnails,
    pub(crate) previews: Previews,
    pub(crate) remote: Remote,
    pub(crate) outbound: Outbound,
}

/// What media stands on.
pub struct MediaParts {
    pub database: Database,
    pub clock: Clock,
    pub accounts: Accounts,
    pub limits: Arc<RateLimits>,
    pub outbound: Outbound,
}

impl Media {
    /// Opens the store, and begins to remove what nobody refers to.
    ///
    /// Errors: a folder that cannot be used, settings of S3 that do not fit together.
    pub fn start(options: MediaOptions, parts: MediaParts) -> Result<Self, MediaError> {
        let media = Self(Arc::new(Inner {
            staging: Staging::open(options.folder.join("staging"))?,
            blobs: blobs::open(&options)?,
            arrivals: Arrivals::default(),
            thumbnails: Thumbnails::new(options.thumbnails),
            previews: Previews::new(options.previews.clone(), parts.outbound.clone()),
            remote: Remote::new(options.remote),
            outbound: parts.outbound,
            options,
            database: parts.database,
            clock: parts.clock,
            accounts: parts.accounts,
            limits: parts.limits,
        }));
        sweep::start(&media);
        Ok(media)
    }

    /// The endpoints.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    pub(crate) fn after(&self, wait: Duration) -> Timestamp {
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        self.0.clock.now().plus_ms(wait_ms)
    }
}
