use std::{path::PathBuf, sync::Arc};

use crate::{ClientConfig, Connections, config::Document, files::Files, policy::Policy};

/// What the web client is served with.
#[derive(Debug, Clone)]
pub struct WebClientOptions {
    /// A folder whose client is served instead of the one inside the binary.
    pub folder: Option<PathBuf>,
    pub config: ClientConfig,
    /// Where the client may connect to beside its own origin.
    pub connections: Connections,
}

/// The web client. Clones are the same one.
#[derive(Debug, Clone)]
pub struct WebClient(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub files: Files,
    pub policy: Policy,
    pub config: Document,
}

impl WebClient {
    pub fn new(options: WebClientOptions) -> Self {
        Self(Arc::new(Inner {
            files: options.folder.map_or_else(Files::built, Files::folder),
            policy: Policy::new(&options.connections),
            config: Document::new(&options.config),
        }))
    }
}
