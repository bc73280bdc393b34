use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// A certificate authority that only tests trust. Its files are gone with the last clone.
#[derive(Debug, Clone)]
pub struct TestAuthority(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub struct TestCertificate {
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    certificate_der: Vec<u8>,
    key_der: Vec<u8>,
    // Keeps the files.
    _authority: TestAuthority,
}

impl TestAuthority {
    #[expect(
        clippy::new_without_default,
        reason = "an authority that comes unasked would be trusted by nobody"
    )]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "The tests' authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("authority.pem"), issuer.pem()).unwrap();
        Self(Arc::new(Inner { issuer, folder }))
    }

    /// What those who trust it are told to read.
    pub fn file(&self) -> PathBuf {
        self.0.folder.path().join("authority.pem")
    }

    pub fn pem(&self) -> String {
        self.0.issuer.pem()
    }

    /// A certificate for these host names and IP addresses.
    pub fn certify(&self, names: &[&str]) -> TestCertificate {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, names.first().map_or("", String::as_str));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0.issuer).unwrap();
        let stem = crate::fresh("certificate");
        let file = |ending: &str| self.0.folder.path().join(format!("{stem}.{ending}"));
        let (certificate_file, key_file) = (file("pem"), file("key.pem"));
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        TestCertificate {
            certificate_file,
            key_file,
            certificate_der: certificate.der().to_vec(),
            key_der: key.serialize_der(),
            _authority: self.clone(),
        }
    }
}

impl TestCertificate {
    /// For a server within the test itself.
    pub(crate) fn server_config(&self) -> rustls::ServerConfig {
        use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(self.certificate_der.clone())],
                PrivatePkcs8KeyDer::from(self.key_der.clone()).into(),
            )
            .unwrap()
    }
}
