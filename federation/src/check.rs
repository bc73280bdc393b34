//! What `echorift check` finds out about federation, without a server running.

use std::time::Duration;

use bytes::Bytes;
use echorift_storage::Clock;
use echorift_web::outbound::Outbound;
use http::header;
use ruma::{ServerName, api::federation::discovery::get_server_version::v1::Server};

use crate::{
    FederationClient, FederationError, FederationOptions, Policy, SendOptions,
    client::http_date,
    destinations::Destinations,
    discovery::{Discovery, OutboundPages},
    federation::{client, discovery},
    keys::KeyAnswer,
};

/// For one request; a check that takes longer than a meal is not made.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Clocks that differ by more confuse people, and by minutes also keys and expiries.
const SKEW_MS_MAX: i64 = 10_000;

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Good,
    Warning,
    Failure,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub finding: String,
    /// What to do; empty for what is good.
    pub advice: String,
}

impl Finding {
    fn good(finding: String) -> Self {
        Self {
            severity: Severity::Good,
            finding,
            advice: String::new(),
        }
    }

    fn warning(finding: String, advice: &str) -> Self {
        Self {
            severity: Severity::Warning,
            finding,
            advice: advice.to_owned(),
        }
    }

    fn failure(finding: String, advice: &str) -> Self {
        Self {
            severity: Severity::Failure,
            ..Self::warning(finding, advice)
        }
    }
}

/// Looks at federation from outside: asks this server and others as any server would.
pub struct FederationCheck {
    options: FederationOptions,
    clock: Clock,
    discovery: Discovery,
    client: FederationClient,
}

impl FederationCheck {
    /// Errors: `Setup` for a CA file that cannot be used.
    pub fn new(
        options: FederationOptions,
        outbound: Outbound,
        clock: Clock,
    ) -> Result<Self, FederationError> {
        let policy = Policy::new(options.server_name.clone(), options.policy.clone());
        let delays = (options.retry_initial_delay, options.retry_max_delay);
        let destinations = Destinations::forgetful(clock.clone(), delays);
        let discovery = discovery(&options, OutboundPages(outbound), &clock);
        let client = client(&options, policy, destinations, discovery.clone())?;
        Ok(Self {
            options,
            clock,
            discovery,
            client,
        })
    }

    /// This server as others see it: where it is, whether it answers there with a good certificate, and with our keys.
    pub async fn own(&self) -> Vec<Finding> {
        let name = &self.options.server_name;
        let key = &self.options.signing_key;
        let old = self.options.old_keys.len();
        let mut findings = vec![Finding::good(format!(
            "requests and events are signed with {}; {old} older keys are published",
            key.key_id()
        ))];
        let authority = self.discovery.authority_of(name).await;
        if authority == *name {
            findings.push(Finding::good(format!(
                "other servers look for {name} under its own name; https://{}/.well-known/matrix/server names no other",
                name.host()
            )));
        } else {
            findings.push(Finding::good(format!(
                "https://{}/.well-known/matrix/server leads other servers to {authority}",
                name.host()
            )));
        }
        match self.discovery.locate(&authority).await {
            Ok(location) => findings.push(Finding::good(format!(
                "{authority} is at {}",
                listed(&location.addresses)
            ))),
            Err(error) => {
                findings.push(Finding::warning(
                    format!("{authority} cannot be found from here: {error}"),
                    "Give it an address in DNS, or let https://NAME/.well-known/matrix/server name a host that has one.",
                ));
                return findings;
            }
        }
        match self.fetch(name, "/_matrix/key/v2/server").await {
            Err(error) => findings.push(Finding::warning(
                format!("federation does not answer there: {error}"),
                "Start the server and check again; it needs a certificate for that name, from an authority that others \
                 trust, and a listener or reverse proxy that passes /_matrix/federation and /_matrix/key on.",
            )),
            Ok((body, _)) => findings.push(self.judge_own_keys(&body)),
        }
        findings
    }

    fn judge_own_keys(&self, body: &[u8]) -> Finding {
        let key = &self.options.signing_key;
        match read_keys(body, &self.options.server_name, self.clock.now()) {
            Ok(answer) => {
                let published = answer.keys.get(key.key_id().as_str());
                if published.is_some_and(|held| held.public_key.encode() == key.public_key()) {
                    return Finding::good("it answers there over TLS and publishes this key".to_owned());
                }
                Finding::warning(
                    "what answers there publishes other keys than the one in the data folder".to_owned(),
                    "Is it another server, or was the key rotated without a restart?",
                )
            }
            Err(reason) => Finding::warning(
                format!("what answers there publishes no keys of this server: {reason}"),
                "Let the reverse proxy pass /_matrix/key on to this server.",
            ),
        }
    }

    /// Another server: whether it can be reached, what it is, its keys, and its clock.
    pub async fn partner(&self, server: &ServerName) -> Vec<Finding> {
        let authority = self.discovery.authority_of(server).await;
        let mut findings = Vec::new();
        match self.discovery.locate(&authority).await {
            Ok(location) => findings.push(Finding::good(format!(
                "{server} is asked as {authority}, at {}",
                listed(&location.addresses)
            ))),
            Err(error) => {
                findings.push(Finding::failure(
                    format!("{server} cannot be found: {error}"),
                    "Check its name and DNS; for a server in a private network, write it into [federation.hosts] or \
                     outbound.allowed_ip_ranges.",
                ));
                return findings;
            }
        }
        match self.fetch(server, "/_matrix/federation/v1/version").await {
            Ok((body, date)) => {
                findings.push(Finding::good(format!("{server} answers: {}", described(&body))));
                findings.push(self.judge_clock(server, date.as_deref()));
            }
            Err(FederationError::Denied(_)) => {
                findings.push(Finding::failure(
                    format!("this server's own rules keep {server} out"),
                    "Look at federation.mode, allow, deny and the partners.",
                ));
                return findings;
            }
            Err(error) => {
                findings.push(Finding::failure(
                    error.to_string(),
                    "Its port must be open, and its certificate valid for that name and signed by an authority that \
                     this machine trusts (or by one of outbound.extra_ca_files).",
                ));
                return findings;
            }
        }
        let keys = self.fetch(server, "/_matrix/key/v2/server").await;
        let keys = keys.map_err(|error| error.to_string());
        match keys.and_then(|(body, _)| read_keys(&body, server, self.clock.now())) {
            Ok(answer) => {
                let current = answer.keys.iter().filter(|(_, key)| !key.is_old);
                let ids: Vec<&str> = current.map(|(id, _)| id.as_str()).collect();
                findings.push(Finding::good(format!("{server} signs with {}", ids.join(", "))));
            }
            Err(reason) => findings.push(Finding::failure(
                format!("{server} publishes no usable keys: {reason}"),
                "Its operator should look at /_matrix/key/v2/server there.",
            )),
        }
        findings
    }

    fn judge_clock(&self, server: &ServerName, date: Option<&str>) -> Finding {
        let Some(theirs) = date.and_then(http_date) else {
            return Finding::warning(
                format!("{server} does not say what time it is"),
                "Compare the clocks by hand: keys and events carry times.",
            );
        };
        let skew_ms = theirs.0.saturating_sub(self.clock.now().0);
        // The header has no fractions of a second.
        if skew_ms.abs() <= SKEW_MS_MAX {
            return Finding::good(format!("the clock of {server} agrees with this one"));
        }
        let direction = if skew_ms > 0 { "ahead of" } else { "behind" };
        Finding::warning(
            format!(
                "the clock of {server} is {} seconds {direction} this one",
                skew_ms.abs() / 1000
            ),
            "Let both machines keep their time by NTP.",
        )
    }

    async fn fetch(
        &self,
        server: &ServerName,
        path: &str,
    ) -> Result<(Bytes, Option<String>), FederationError> {
        let options = SendOptions {
            timeout: Some(TIMEOUT),
            even_backing_off: true,
            ..SendOptions::default()
        };
        let mut answer = self.client.get_unsigned(server, path, options).await?;
        let date = answer
            .headers
            .get(header::DATE)
            .and_then(|date| date.to_str().ok());
        let date = date.map(ToOwned::to_owned);
        Ok((answer.bytes().await?, date))
    }
}

fn read_keys(
    body: &[u8],
    server: &ServerName,
    now: echorift_storage::Timestamp,
) -> Result<KeyAnswer, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let answer = KeyAnswer::read(text, now)?;
    if answer.server == server {
        Ok(answer)
    } else {
        Err(format!("they are those of {}", answer.server))
    }
}

fn described(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Document {
        server: Server,
    }
    let Ok(Document { server }) = serde_json::from_slice(body) else {
        return "it does not say what it is".to_owned();
    };
    format!(
        "{} {}",
        server.name.unwrap_or_else(|| "an unnamed server".to_owned()),
        server.version.unwrap_or_default()
    )
}

fn listed(addresses: &[std::net::SocketAddr]) -> String {
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
