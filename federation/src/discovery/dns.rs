use std::net::IpAddr;

use echorift_web::BoxFuture;
use hickory_resolver::{TokioResolver, config::LookupIpStrategy, proto::rr::RData};

/// The two questions that discovery asks of DNS.
pub(crate) trait Dns: Send + Sync {
    /// The SRV records of a name, none if there are none. The error is for the log.
    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<Service>, String>>;

    /// The addresses of a host, by its A and AAAA records, through aliases. The error is for the log.
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, String>>;
}

/// An SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    /// Without the dot at its end; empty for "there is no such service here".
    pub target: String,
}

/// DNS as the system's configuration names it. Answers are cached as long as their TTL says.
pub(crate) struct HickoryDns {
    /// Absent where the system has no configuration; the system itself is asked for addresses then.
    resolver: Option<TokioResolver>,
}

/// Answers kept. A server asks about each peer a few times an hour.
const CACHED_ANSWERS: u64 = 4096;

impl HickoryDns {
    pub(crate) fn new() -> Self {
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            let options = builder.options_mut();
            options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            options.cache_size = CACHED_ANSWERS;
            builder.build()
        });
        if let Err(error) = &built {
            tracing::warn!(%error, "there is no DNS configuration; SRV records are not looked up");
        }
        Self { resolver: built.ok() }
    }
}

impl Dns for HickoryDns {
    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<Service>, String>> {
        Box::pin(async move {
            let Some(resolver) = &self.resolver else {
                return Ok(Vec::new());
            };
            // The dot keeps the system's search domains out.
            let lookup = match resolver.srv_lookup(format!("{name}.")).await {
                Ok(lookup) => lookup,
                Err(error) if error.is_no_records_found() || error.is_nx_domain() => return Ok(Vec::new()),
                Err(error) => return Err(error.to_string()),
            };
            let services = lookup.answers().iter().filter_map(|record| match &record.data {
                RData::SRV(service) => Some(Service {
                    priority: service.priority,
                    weight: service.weight,
                    port: service.port,
                    target: service.target.to_ascii().trim_end_matches('.').to_owned(),
                }),
                _ => None,
            });
            Ok(services.collect())
        })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, String>> {
        Box::pin(async move {
            let Some(resolver) = &self.resolver else {
                let found = tokio::net::lookup_host((host, 0)).await;
                return found
                    .map(|found| found.map(|address| address.ip()).collect())
                    .map_err(|error| error.to_string());
            };
            // A name without any dot is one of the local network, which its search domains may complete.
            let name = if host.contains('.') {
                format!("{}.", host.trim_end_matches('.'))
            } else {
                host.to_owned()
            };
            let found = resolver
                .lookup_ip(name)
                .await
                .map_err(|error| error.to_string())?;
            Ok(found.iter().collect())
        })
    }
}
