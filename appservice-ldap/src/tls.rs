//! Whom to trust: the authorities of the system and those of `ca_file`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use crate::config::ConfigFault;

/// Why the directory cannot even be asked.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Everything that is wrong with the settings.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Config(Vec<ConfigFault>),
    #[error("directory.ca_file = {path:?}: {problem}; name a PEM file with at least one certificate")]
    CaFile { path: PathBuf, problem: String },
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// The TLS settings of every connection. `ca_file` is empty when only the system's authorities count.
pub(crate) fn client_config(ca_file: &Path) -> Result<Arc<ClientConfig>, DirectoryError> {
    let mut roots = RootCertStore::empty();
    // A system without a certificate store is fine as long as `ca_file` names the one that matters.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if !ca_file.as_os_str().is_empty() {
        add_file(&mut roots, ca_file).map_err(|problem| DirectoryError::CaFile {
            path: ca_file.to_owned(),
            problem,
        })?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let mut certificates = 0_usize;
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        roots
            .add(certificate.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())?;
        certificates += 1;
    }
    if certificates == 0 {
        Err("it holds no certificate".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_missing_or_empty_file_is_an_error() {
        let empty = tempfile::NamedTempFile::new().unwrap();
        for path in [Path::new("/nonexistent/ca.pem"), empty.path()] {
            assert!(
                matches!(client_config(path), Err(DirectoryError::CaFile { .. })),
                "{path:?}"
            );
        }
    }

    #[test]
    fn no_file_means_the_systems_authorities() {
        assert!(client_config(Path::new("")).is_ok());
    }
}
