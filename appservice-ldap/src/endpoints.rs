//! Several servers with the same content: which one to ask.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ldap3::LdapResult;
use tokio::time::Instant;

use crate::connection::{Connection, Dialling, Fault};
use crate::url::DirectoryUrl;

/// How long a server further down the list is used before the favourite is tried again: long enough that a dead
/// favourite costs one login a minute its `connect_timeout`.
const FAVOURITE_RETRY: Duration = Duration::from_secs(60);

/// busy, unavailable: this server cannot, another may.
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;

/// A name and its password; both empty: anonymous (RFC 4513 § 5.1.1).
pub(crate) struct Credentials {
    pub name: String,
    pub password: String,
}

#[derive(Debug)]
pub(crate) struct Endpoints {
    urls: Vec<DirectoryUrl>,
    dialling: Dialling,
    /// Guards a few numbers; nothing is awaited while it is held.
    current: Mutex<Current>,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    /// The server that answered last.
    index: usize,
    /// When the favourite last failed.
    left_favourite_at: Option<Instant>,
}

impl Endpoints {
    pub(crate) fn new(urls: Vec<DirectoryUrl>, dialling: Dialling) -> Self {
        Self {
            urls,
            dialling,
            current: Mutex::new(Current {
                index: 0,
                left_favourite_at: None,
            }),
        }
    }

    pub(crate) fn urls(&self) -> &[DirectoryUrl] {
        &self.urls
    }

    pub(crate) fn dialling(&self) -> &Dialling {
        &self.dialling
    }

    /// Connects to the server that answered last, or to the next one that answers, and binds. The result says
    /// whether it accepted the credentials; a server that is too busy to tell counts as one that is down.
    pub(crate) async fn connect(&self, credentials: &Credentials) -> Result<(Connection, LdapResult), Fault> {
        let first = self.first_to_try();
        let mut problems = Vec::new();
        for (index, url) in in_turn(&self.urls, first) {
            match attempt(url, &self.dialling, credentials).await {
                Ok(bound) => {
                    self.settle_on(index, &problems);
                    return Ok(bound);
                }
                Err(fault) => problems.push(fault.to_string()),
            }
        }
        Err(Fault::NoServer(problems.join("; ")))
    }

    /// A connection to this server and no other, on which the service account was accepted.
    pub(crate) async fn connect_to(&self, url: &str, account: &Credentials) -> Result<Connection, Fault> {
        let named = self.urls.iter().find(|known| known.text == url);
        let named = named.ok_or_else(|| Fault::NoServer(url.to_owned()))?;
        accepted(attempt(named, &self.dialling, account).await?)
    }

    /// A connection on which the service account was accepted.
    pub(crate) async fn connect_as_service(&self, account: &Credentials) -> Result<Connection, Fault> {
        accepted(self.connect(account).await?)
    }

    fn first_to_try(&self) -> usize {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = current
            .left_favourite_at
            .is_some_and(|since| since.elapsed() >= FAVOURITE_RETRY);
        if !is_due {
            return current.index;
        }
        // Only this caller waits for the favourite; the others go on with what works.
        current.left_favourite_at = Some(Instant::now());
        0
    }

    fn settle_on(&self, index: usize, problems: &[String]) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.index == index {
            return;
        }
        let url = self.urls.get(index).map_or("", |url| url.text.as_str());
        if index == 0 {
            tracing::info!(url, "the first directory server answers again");
        } else {
            tracing::warn!(url, "using another directory server: {}", problems.join("; "));
        }
        let left_favourite_at = (index != 0).then(|| current.left_favourite_at.unwrap_or_else(Instant::now));
        *current = Current {
            index,
            left_favourite_at,
        };
    }
}

/// The connection, if the service account was accepted on it.
pub(crate) fn accepted((connection, result): (Connection, LdapResult)) -> Result<Connection, Fault> {
    if result.rc == 0 {
        return Ok(connection);
    }
    Err(Fault::Refused {
        url: connection.url().to_owned(),
        step: "the bind of the service account",
        result: Box::new(result),
    })
}

/// Every item once, with its number, beginning at `first`.
fn in_turn<T>(items: &[T], first: usize) -> impl Iterator<Item = (usize, &T)> {
    let numbered = || items.iter().enumerate();
    numbered().skip(first).chain(numbered().take(first))
}

/// Connects to one server and binds.
pub(crate) async fn attempt(
    url: &DirectoryUrl,
    dialling: &Dialling,
    credentials: &Credentials,
) -> Result<(Connection, LdapResult), Fault> {
    let mut connection = Connection::open(url, dialling).await?;
    let result = connection.bind(&credentials.name, &credentials.password).await?;
    if matches!(result.rc, BUSY | UNAVAILABLE) {
        return Err(Fault::Refused {
            url: url.text.clone(),
            step: "a bind",
            result: Box::new(result),
        });
    }
    Ok((connection, result))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(count: usize) -> Endpoints {
        let urls = (0..count)
            .map(|n| DirectoryUrl::parse(&format!("ldap://dc{n}"), false).expect("an address"))
            .collect();
        let tls = crate::tls::client_config(std::path::Path::new("")).expect("TLS settings");
        let limit = Duration::from_secs(1);
        Endpoints::new(
            urls,
            Dialling {
                tls,
                start_tls: false,
                connect_timeout: limit,
                request_timeout: limit,
            },
        )
    }

    #[test]
    fn every_server_is_tried_once_beginning_with_the_current_one() {
        let order: Vec<_> = in_turn(&['a', 'b', 'c'], 1).map(|(n, c)| (n, *c)).collect();
        assert_eq!(order, [(1, 'b'), (2, 'c'), (0, 'a')]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_favourite_is_tried_again_after_a_while_and_by_one_caller() {
        let endpoints = endpoints(2);
        assert_eq!(endpoints.first_to_try(), 0);
        endpoints.settle_on(1, &[]);
        assert_eq!(endpoints.first_to_try(), 1);
        tokio::time::advance(FAVOURITE_RETRY).await;
        assert_eq!((endpoints.first_to_try(), endpoints.first_to_try()), (0, 1));
        endpoints.settle_on(0, &[]);
        tokio::time::advance(FAVOURITE_RETRY).await;
        assert_eq!(endpoints.first_to_try(), 0);
    }
}
