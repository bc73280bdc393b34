use std::net::{IpAddr, SocketAddr};

use rand::Rng as _;
use ruma::ServerName;
use rustls::pki_types;

use super::{Discovery, dns::Service};

/// The port of federation where nothing names another.
const FEDERATION_PORT: u16 = 8448;
/// How many SRV records of a name are looked at, and how many addresses are tried.
const TARGETS_MAX: usize = 8;
const ADDRESSES_MAX: usize = 16;
/// The registered service first, then the deprecated one.
const SERVICES: [&str; 2] = ["_matrix-fed._tcp", "_matrix._tcp"];

/// Where to connect to, and for whom the certificate must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub certificate_name: pki_types::ServerName<'static>,
    /// In the order in which they are to be tried. Not empty.
    pub addresses: Vec<SocketAddr>,
}

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LocateError {
    #[error("the name cannot be resolved: {0}")]
    Dns(String),
    #[error("there is no server behind the name")]
    NoService,
    #[error("its address is not one that this server may connect to")]
    DeniedAddress,
    #[error("the name cannot stand in a certificate")]
    BadName,
}

impl Discovery {
    /// The addresses of a name that [`Discovery::authority_of`] gave.
    pub(crate) async fn locate(&self, authority: &ServerName) -> Result<Location, LocateError> {
        let certificate_name = certificate_name(authority)?;
        let addresses = match self.0.hosts.get(authority) {
            // The operator trusts these explicitly, so that they may stand in a private network.
            Some(host) => self.of_host(&host.host, host.port).await?,
            None => {
                let found = self.discover(authority).await?;
                let permitted = found.iter().copied().filter(|a| self.0.addresses.permits(a.ip()));
                let permitted: Vec<SocketAddr> = permitted.collect();
                if permitted.is_empty() && !found.is_empty() {
                    return Err(LocateError::DeniedAddress);
                }
                permitted
            }
        };
        if addresses.is_empty() {
            return Err(LocateError::Dns("it has no address".to_owned()));
        }
        Ok(Location {
            certificate_name,
            addresses: addresses.into_iter().take(ADDRESSES_MAX).collect(),
        })
    }

    async fn discover(&self, authority: &ServerName) -> Result<Vec<SocketAddr>, LocateError> {
        if let Some(literal) = literal(authority) {
            let port = authority.port().unwrap_or(FEDERATION_PORT);
            return Ok(vec![SocketAddr::new(literal, port)]);
        }
        let host = authority.host();
        if let Some(port) = authority.port() {
            return self.of_host(host, port).await;
        }
        for service in SERVICES {
            let name = format!("{service}.{host}");
            let records = match self.0.dns.services(&name).await {
                Ok(records) => records,
                // The name's own address may still be known (a hosts file, say), and the certificate decides.
                Err(error) => {
                    tracing::debug!(name, error, "an SRV record could not be looked up");
                    continue;
                }
            };
            if !records.is_empty() {
                return self.of_services(records).await;
            }
        }
        self.of_host(host, FEDERATION_PORT).await
    }

    async fn of_services(&self, records: Vec<Service>) -> Result<Vec<SocketAddr>, LocateError> {
        let ordered = in_order(records, |bound| rand::rng().random_range(0..=bound));
        let mut addresses = Vec::new();
        let mut error = LocateError::NoService;
        for service in ordered.into_iter().take(TARGETS_MAX) {
            match self.of_host(&service.target, service.port).await {
                Ok(found) => addresses.extend(found),
                Err(cause) => error = cause,
            }
        }
        if addresses.is_empty() {
            return Err(error);
        }
        Ok(addresses)
    }

    /// The addresses of one host, the two families by turns, so that a family that leads nowhere costs one attempt.
    async fn of_host(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, LocateError> {
        if let Ok(literal) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(literal, port)]);
        }
        let found = self.0.dns.addresses(host).await.map_err(LocateError::Dns)?;
        let (six, four): (Vec<_>, Vec<_>) = found.into_iter().partition(IpAddr::is_ipv6);
        let mut by_turns = Vec::with_capacity(six.len() + four.len());
        let (mut six, mut four) = (six.into_iter(), four.into_iter());
        loop {
            match (six.next(), four.next()) {
                (None, None) => break,
                (one, other) => by_turns.extend(one.into_iter().chain(other)),
            }
        }
        Ok(by_turns
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect())
    }
}

fn literal(authority: &ServerName) -> Option<IpAddr> {
    let host = authority.host();
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

fn certificate_name(authority: &ServerName) -> Result<pki_types::ServerName<'static>, LocateError> {
    match literal(authority) {
        Some(address) => Ok(pki_types::ServerName::from(address)),
        None => {
            pki_types::ServerName::try_from(authority.host().to_owned()).map_err(|_| LocateError::BadName)
        }
    }
}

/// The order of RFC 2782: lowest priority first, and within one priority by chance, the heavier the likelier.
fn in_order(mut records: Vec<Service>, mut random: impl FnMut(u32) -> u32) -> Vec<Service> {
    records.retain(|record| !record.target.is_empty() && record.port != 0);
    records.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let count = records
            .iter()
            .take_while(|record| record.priority == priority)
            .count();
        let total = records
            .iter()
            .take(count)
            .map(|record| u32::from(record.weight))
            .sum();
        let mut left = random(total);
        let mut chosen = 0;
        for (index, record) in records.iter().take(count).enumerate() {
            chosen = index;
            match left.checked_sub(u32::from(record.weight)) {
                None | Some(0) => break,
                Some(rest) => left = rest,
            }
        }
        ordered.push(records.remove(chosen));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(priority: u16, weight: u16, target: &str) -> Service {
        Service {
            priority,
            weight,
            port: 1,
            target: target.to_owned(),
        }
    }

    #[test]
    fn services_are_ordered_by_priority_then_by_weight_and_chance() {
        let records = vec![
            service(20, 0, "last"),
            service(10, 60, "big"),
            service(10, 0, "none"),
            service(10, 40, "small"),
            service(0, 0, ""),
        ];
        let order = |drawn: fn(u32) -> u32| -> Vec<String> {
            in_order(records.clone(), drawn)
                .into_iter()
                .map(|service| service.target)
                .collect()
        };
        assert_eq!(order(|_| 0), ["none", "big", "small", "last"]);
        assert_eq!(order(|total| total), ["small", "big", "none", "last"]);
        assert_eq!(order(|total| total.min(60)), ["big", "small", "none", "last"]);
    }
}
