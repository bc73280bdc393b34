use std::{fmt, path::PathBuf, sync::Arc};

use echorift_web::BoxFuture;

use crate::{ClientConfig, Connections, config::Document, files::Files, policy::Policy};

/// What the web client is served with.
#[derive(Clone)]
pub struct WebClientOptions {
    /// A folder whose client is served instead of the one inside the binary.
    pub folder: Option<PathBuf>,
    pub config: ClientConfig,
    /// Where the client may connect to beside its own origin.
    pub connections: Connections,
    pub first_account: FirstAccount,
}

/// Says, at any time, whether the server waits for its first administrator, who makes an account also where nobody else can.
#[derive(Clone)]
pub struct FirstAccount(pub Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>);

impl FirstAccount {
    /// There is nothing to wait for.
    pub fn exists() -> Self {
        Self(Arc::new(|| Box::pin(async { false })))
    }
}

impl fmt::Debug for FirstAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FirstAccount")
    }
}

/// The web client. Clones are the same one.
#[derive(Debug, Clone)]
pub struct WebClient(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub files: Files,
    pub policy: Policy,
    pub config: Document,
    /// What stands in its place while the first account is waited for.
    pub config_for_first: Document,
    pub first_account: FirstAccount,
}

impl WebClient {
    pub fn new(options: WebClientOptions) -> Self {
        Self(Arc::new(Inner {
            files: options.folder.map_or_else(Files::built, Files::folder),
            policy: Policy::new(&options.connections),
            config: Document::new(&options.config),
            config_for_first: Document::new(&options.config.with_registration()),
            first_account: options.first_account,
        }))
    }
}
