//! The certificate and key of a TLS listener.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsSettings;

/// Why TLS cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{path} is not PEM: {cause}")]
    Pem {
        path: PathBuf,
        cause: rustls::pki_types::pem::Error,
    },
    #[error("{path} holds no certificate")]
    Empty { path: PathBuf },
    #[error("certificate and key do not fit: {0}")]
    Mismatch(#[from] rustls::Error),
}

/// Reads both files; the certificate's file may hold the chain above it.
pub(crate) fn load(settings: &TlsSettings) -> Result<TlsAcceptor, TlsError> {
    let bad = |path: &PathBuf, cause| TlsError::Pem {
        path: path.clone(),
        cause,
    };
    let chain = CertificateDer::pem_file_iter(&settings.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| bad(&settings.certificate, cause))?;
    if chain.is_empty() {
        return Err(TlsError::Empty {
            path: settings.certificate.clone(),
        });
    }
    let key = PrivateKeyDer::from_pem_file(&settings.private_key)
        .map_err(|cause| bad(&settings.private_key, cause))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
