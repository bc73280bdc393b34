//! A small network on the loopback address: servers with names, certificates and keys of their own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::get};
use echorift_events::SigningKey;
use echorift_storage::{Clock, Database, DatabaseOptions, Timestamp};
use echorift_web::{BoxFuture, outbound::AddressPolicy};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use ruma::{OwnedServerName, ServerName};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    FederationClient, HostAndPort, Keys, OldKey, Policy, PolicyOptions,
    client::{ClientParts, Connector, tls_config},
    destinations::Destinations,
    discovery::{Discovery, Dns, Page, Pages, Service},
};

/// When these tests happen.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// An authority, and where the servers that it vouches for listen.
pub(crate) struct Network {
    issuer: Issuer<'static, KeyPair>,
    pub folder: tempfile::TempDir,
    pub hosts: HashMap<OwnedServerName, HostAndPort>,
    pub clock: Clock,
}

impl Network {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            folder,
            hosts: HashMap::new(),
            clock: Clock::manual(NOW),
        }
    }

    /// Serves over TLS with a certificate for `certificate_name`, at an address that `name` is mapped to.
    pub(crate) async fn serve(&mut self, name: &str, certificate_name: &str, router: Router) -> SocketAddr {
        let params = CertificateParams::new(vec![certificate_name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, router) = (acceptor.clone(), router.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let builder = auto::Builder::new(TokioExecutor::new());
                    let service = TowerToHyperService::new(router);
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        let host = HostAndPort {
            host: address.ip().to_string(),
            port: address.port(),
        };
        self.hosts.insert(ServerName::parse(name).unwrap(), host);
        address
    }

    /// A server that asks the others, with a database of its own.
    pub(crate) async fn node(&self, name: &str, notaries: &[&str]) -> Node {
        self.node_with(name, notaries, PolicyOptions::default()).await
    }

    pub(crate) async fn node_with(&self, name: &str, notaries: &[&str], policy: PolicyOptions) -> Node {
        let url = format!(
            "sqlite:{}",
            self.folder.path().join(format!("{name}.db")).display()
        );
        let options = DatabaseOptions {
            url,
            max_connections: 2,
        };
        let database = Database::open(&options).await.unwrap();
        let server_name = ServerName::parse(name).unwrap();
        let delays = (Duration::from_secs(10), Duration::from_secs(3600));
        let destinations = Destinations::start(&database, self.clock.clone(), delays.0, delays.1)
            .await
            .unwrap();
        let discovery = Discovery::new(
            self.hosts.clone(),
            AddressPolicy::default(),
            Box::new(Names::default()),
            Box::new(Names::default()),
            self.clock.clone(),
        );
        let tls = tls_config(&[self.folder.path().join("ca.pem")]).unwrap();
        let policy = Policy::new(server_name.clone(), policy);
        let client = FederationClient::new(ClientParts {
            signing_key: signing_key(name),
            connector: Connector::new(discovery.clone(), tls, Duration::from_secs(5)),
            discovery,
            destinations: destinations.clone(),
            policy: policy.clone(),
            timeout: Duration::from_secs(5),
        });
        let notaries = notaries
            .iter()
            .map(|name| ServerName::parse(name).unwrap())
            .collect();
        let keys = Keys::new(
            signing_key(name),
            Vec::<OldKey>::new(),
            notaries,
            (&database, &self.clock),
            client.clone(),
        );
        Node {
            server_name,
            database,
            destinations,
            policy,
            client,
            keys,
        }
    }
}

/// A server's transport, without rooms and people.
#[derive(Clone)]
pub(crate) struct Node {
    pub server_name: OwnedServerName,
    pub database: Database,
    pub destinations: Destinations,
    pub policy: Policy,
    pub client: FederationClient,
    pub keys: Keys,
}

/// A key that follows from the server's name.
pub(crate) fn signing_key(name: &str) -> SigningKey {
    let mut seed = [7; 32];
    for (byte, letter) in seed.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    SigningKey::from_seed(&ServerName::parse(name).unwrap(), "1", &seed).unwrap()
}

/// The route by which a server of this name publishes the key of [`signing_key`].
pub(crate) fn key_route(name: &str, old_keys: Vec<OldKey>, clock: Clock) -> Router {
    let published = Arc::new((signing_key(name), old_keys, clock));
    Router::new()
        .route(
            "/_matrix/key/v2/server",
            get(async |State(own): State<Arc<(SigningKey, Vec<OldKey>, Clock)>>| {
                let object = crate::keys::published(own.0.clone(), own.1.clone(), own.2.now());
                Json(object)
            }),
        )
        .with_state(published)
}

/// What DNS and the web say, in a test's words.
#[derive(Default)]
pub(crate) struct Names {
    pub services: HashMap<String, Vec<Service>>,
    pub addresses: HashMap<String, Vec<IpAddr>>,
    pub pages: parking_lot::Mutex<HashMap<String, Page>>,
    pub asked: Arc<parking_lot::Mutex<Vec<String>>>,
}

impl Dns for Names {
    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<Service>, String>> {
        self.asked.lock().push(format!("SRV {name}"));
        let found = self.services.get(name).cloned().unwrap_or_default();
        Box::pin(async move { Ok(found) })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, String>> {
        self.asked.lock().push(format!("A {host}"));
        let found = self.addresses.get(host).cloned();
        Box::pin(async move { found.ok_or_else(|| "no such host".to_owned()) })
    }
}

impl Pages for Names {
    fn page<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Page, String>> {
        self.asked.lock().push(format!("page {host}"));
        let found = self.pages.lock().get(host).cloned();
        Box::pin(async move { found.ok_or_else(|| "404".to_owned()) })
    }
}
