//! One connection to one directory server: open, bind, search, change a password. Every step has a time limit, every answer a size
//! limit, and a malformed answer breaks the connection and nothing else.

use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use ldap3::controls::{PagedResults, RawControl};
use ldap3::exop::PasswordModify;
use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Mod, ResultEntry, Scope, SearchEntry,
    SearchOptions, StdStream,
};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::entry::Entry;
use crate::measure::{Operation, measured};
use crate::password_policy;
use crate::referral::Reference;
use crate::url::DirectoryUrl;

/// Result codes of RFC 4511 § 4.1.9 that mean something here.
const SIZE_LIMIT_EXCEEDED: u32 = 4;
const REFERRAL: u32 = 10;
const NO_SUCH_OBJECT: u32 = 32;
/// References of one answer, and addresses in each, that are remembered: more than are followed.
pub(crate) const REFERENCES_MAX: usize = 100;
const ADDRESSES_MAX: usize = 20;
/// `LDAP_SERVER_SHOW_DELETED_OID`.
const SHOW_DELETED_OID: &str = "1.2.840.113556.1.4.417";
/// The control of RFC 2696.
const PAGED_RESULTS_OID: &str = "1.2.840.113556.1.4.319";

/// What went wrong between the directory and us. Names the server and the step.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{url} cannot be reached: {cause}")]
    Unreachable { url: String, cause: String },
    #[error("encryption with {url} failed: {cause}")]
    Tls { url: String, cause: String },
    #[error("{url} did not answer in time to {step}")]
    TimedOut { url: String, step: &'static str },
    #[error("the connection to {url} broke during {step}: {cause}")]
    Broken {
        url: String,
        step: &'static str,
        cause: String,
    },
    #[error("{url} refused {step}: {result}")]
    Refused {
        url: String,
        step: &'static str,
        result: Box<LdapResult>,
    },
    #[error(
        "{url} refers to {to:?} for a part of the tree: choose a base below one server alone, or set referrals"
    )]
    Referred { url: String, to: String },
    #[error("the referral to {to:?} cannot be followed: {problem}")]
    NotFollowed { to: String, problem: String },
    #[error("no server can be used: {0}")]
    NoServer(String),
    #[error("all {0} connections to the directory are busy")]
    Busy(usize),
}

impl Fault {
    /// The entry that the operation named does not exist, or may not be seen.
    pub(crate) fn is_missing_entry(&self) -> bool {
        matches!(self, Self::Refused { result, .. } if result.rc == NO_SUCH_OBJECT)
    }

    /// Where the server refers to instead of an answer.
    pub(crate) fn referral(&self) -> Option<Reference> {
        match self {
            Self::Refused { result, .. } if result.rc == REFERRAL && !result.refs.is_empty() => {
                Some(Reference(result.refs.clone()))
            }
            _ => None,
        }
    }

    /// The connection is of no further use; another one may be.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Broken { .. })
    }
}

/// How to connect, the same for every server.
#[derive(Debug, Clone)]
pub(crate) struct Dialling {
    pub tls: Arc<ClientConfig>,
    pub start_tls: bool,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
}

/// What to look for, and how much of it at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a> {
    pub base: &'a str,
    pub scope: Scope,
    pub filter: &'a str,
    pub attributes: &'a [&'a str],
    /// At most this many entries are returned, whatever the server sends.
    pub entries_max: usize,
}

#[derive(Debug)]
pub(crate) struct Connection {
    ldap: Ldap,
    url: String,
    is_encrypted: bool,
    request_timeout: Duration,
}

impl Connection {
    /// Connects and encrypts, within `connect_timeout`.
    pub(crate) async fn open(url: &DirectoryUrl, dialling: &Dialling) -> Result<Self, Fault> {
        let opening = timeout(dialling.connect_timeout, dial(url, dialling));
        let opening = async {
            let Ok(opened) = AssertUnwindSafe(opening).catch_unwind().await else {
                return Err(broken(&url.text, "connecting", "a malformed answer".to_owned()));
            };
            opened.map_err(|_| Fault::TimedOut {
                url: url.text.clone(),
                step: "connecting",
            })?
        };
        let ldap = measured(Operation::Connect, opening).await?;
        Ok(Self {
            ldap,
            url: url.text.clone(),
            is_encrypted: url.is_ldaps || dialling.start_tls,
            request_timeout: dialling.request_timeout,
        })
    }

    /// Nobody between here and the server can read along.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The server as configured.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The server or the network has ended the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.ldap.is_closed()
    }

    /// Binds, and gives the server's answer: the caller knows what a refusal means. The password policy of the
    /// directory, if it has one, is asked for its word.
    pub(crate) async fn bind(&mut self, name: &str, password: &str) -> Result<LdapResult, Fault> {
        let (url, limit) = (&self.url, self.request_timeout);
        let ldap = self.ldap.with_controls(password_policy::request());
        let bind = guarded(url, "a bind", limit, ldap.simple_bind(name, password));
        measured(Operation::Bind, bind).await
    }

    /// One page of a search that is to be complete (RFC 2696), after the page that gave this cookie; an empty one
    /// begins. Errors: whatever makes it less than complete, such as a size limit of the server. Parts of the tree that
    /// other servers hold are named in the page.
    pub(crate) async fn search_page(
        &mut self,
        query: Query<'_>,
        entries: i32,
        cookie: Vec<u8>,
    ) -> Result<Page, Fault> {
        self.page(query, entries, cookie, Vec::new()).await
    }

    /// The first page of a search that finds deleted entries as well (MS-ADTS § 3.1.1.3.4.1.14).
    pub(crate) async fn search_deleted(&mut self, query: Query<'_>, entries: i32) -> Result<Page, Fault> {
        let show_deleted = RawControl {
            ctype: SHOW_DELETED_OID.to_owned(),
            // Who does not know it has no such entries.
            crit: true,
            val: None,
        };
        self.page(query, entries, Vec::new(), vec![show_deleted]).await
    }

    async fn page(
        &mut self,
        query: Query<'_>,
        entries: i32,
        cookie: Vec<u8>,
        controls: Vec<RawControl>,
    ) -> Result<Page, Fault> {
        let step = "a search for all entries";
        let (url, limit) = (self.url.clone(), self.request_timeout);
        let page = collect_page(&mut self.ldap, query, entries, cookie, controls);
        let (entries, references, result, next) = guarded(&url, step, limit, page).await?;
        if result.rc != 0 {
            return Err(Fault::Refused {
                url,
                step,
                result: Box::new(result),
            });
        }
        Ok(Page {
            entries,
            references,
            next,
        })
    }

    /// The library's own handle, for what is no question and answer.
    pub(crate) fn ldap(&mut self) -> &mut Ldap {
        &mut self.ldap
    }

    /// The entries found here. References to what other servers would know are ignored.
    pub(crate) async fn search(&mut self, query: Query<'_>) -> Result<Vec<Entry>, Fault> {
        Ok(self.search_here(query).await?.0)
    }

    /// The entries found here, and references to what other servers would know.
    pub(crate) async fn search_here(
        &mut self,
        query: Query<'_>,
    ) -> Result<(Vec<Entry>, Vec<Reference>), Fault> {
        let step = "a search";
        let (url, limit) = (self.url.clone(), self.request_timeout);
        let search = guarded(&url, step, limit, collect(&mut self.ldap, query, limit));
        let (entries, references, result) = measured(Operation::Search, search).await?;
        match result.rc {
            0 | SIZE_LIMIT_EXCEEDED => Ok((entries, references)),
            _ => Err(Fault::Refused {
                url,
                step,
                result: Box::new(result),
            }),
        }
    }

    /// Changes the password of whoever is bound (RFC 3062), and gives the server's answer.
    pub(crate) async fn modify_own_password(&mut self, old: &str, new: &str) -> Result<LdapResult, Fault> {
        let (url, limit) = (&self.url, self.request_timeout);
        let request = PasswordModify {
            user_id: None,
            old_pass: Some(old),
            new_pass: Some(new),
        };
        let ldap = self.ldap.with_controls(password_policy::request());
        let change = async { ldap.extended(request).await.map(|answer| answer.1) };
        measured(
            Operation::PasswordChange,
            guarded(url, "a password change", limit, change),
        )
        .await
    }

    /// Puts one value of an attribute in the place of another, both of which the server has to agree with.
    pub(crate) async fn exchange(
        &mut self,
        dn: &str,
        attribute: &str,
        old: Vec<u8>,
        new: Vec<u8>,
    ) -> Result<LdapResult, Fault> {
        let (url, limit) = (&self.url, self.request_timeout);
        let name = attribute.as_bytes().to_vec();
        let changes = vec![
            Mod::Delete(name.clone(), HashSet::from([old])),
            Mod::Add(name, HashSet::from([new])),
        ];
        let change = guarded(url, "a password change", limit, self.ldap.modify(dn, changes));
        measured(Operation::PasswordChange, change).await
    }
}

/// A part of a complete answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub entries: Vec<SearchEntry>,
    /// Of parts of the tree that may hold people, and that this server does not.
    pub references: Vec<Reference>,
    /// What the next page is asked for with; `None` after the last.
    pub next: Option<Vec<u8>>,
}

async fn dial(url: &DirectoryUrl, dialling: &Dialling) -> Result<Ldap, Fault> {
    let unreachable = |cause: std::io::Error| Fault::Unreachable {
        url: url.text.clone(),
        cause: cause.to_string(),
    };
    let stream = TcpStream::connect((url.host.as_str(), url.port))
        .await
        .map_err(unreachable)?;
    // A bind is one small packet each way; waiting to fill it would only cost time.
    stream.set_nodelay(true).map_err(unreachable)?;
    let settings = LdapConnSettings::new()
        .set_config(Arc::clone(&dialling.tls))
        .set_starttls(dialling.start_tls)
        .set_std_stream(StdStream::Tcp(stream.into_std().map_err(unreachable)?));
    let (driver, ldap) = LdapConnAsync::with_settings(settings, &url.text)
        .await
        .map_err(|error| Fault::Tls {
            url: url.text.clone(),
            cause: cause(&error),
        })?;
    let name = url.text.clone();
    // Ends when the last handle is dropped or the server hangs up.
    tokio::spawn(async move {
        if let Err(error) = driver.drive().await {
            tracing::debug!(url = name, "directory connection ended: {error}");
        }
    });
    Ok(ldap)
}

/// Reads a search to its end or to its limit.
async fn collect(
    ldap: &mut Ldap,
    query: Query<'_>,
    limit: Duration,
) -> Result<(Vec<Entry>, Vec<Reference>, LdapResult), LdapError> {
    let options = SearchOptions::new()
        .sizelimit(i32::try_from(query.entries_max).unwrap_or(i32::MAX))
        .timelimit(i32::try_from(limit.as_secs().max(1)).unwrap_or(i32::MAX));
    let mut stream = ldap
        .with_search_options(options)
        .streaming_search(query.base, query.scope, query.filter, query.attributes.to_vec())
        .await?;
    let (mut entries, mut references) = (Vec::new(), Vec::new());
    while entries.len() < query.entries_max {
        match stream.next().await? {
            Some(found) if found.is_intermediate() => {}
            Some(found) if found.is_ref() => take_reference(found, &mut references),
            Some(found) => entries.push(Entry::from(SearchEntry::construct(found))),
            None => return Ok((entries, references, stream.finish().await)),
        }
    }
    // A server that honours the size limit has only its final word left to say. One that does not would go on.
    let has_more = stream.next().await?.is_some();
    let mut result = stream.finish().await;
    if has_more {
        result.rc = SIZE_LIMIT_EXCEEDED;
    }
    Ok((entries, references, result))
}

/// Reads one page to its end: more entries than asked for are a server's that knows no pages, and sends all at once.
async fn collect_page(
    ldap: &mut Ldap,
    query: Query<'_>,
    entries: i32,
    cookie: Vec<u8>,
    mut controls: Vec<RawControl>,
) -> Result<(Vec<SearchEntry>, Vec<Reference>, LdapResult, Option<Vec<u8>>), LdapError> {
    let paging = PagedResults {
        size: entries,
        cookie,
    };
    controls.push(paging.into());
    let mut stream = ldap
        .with_controls(controls)
        .streaming_search(query.base, query.scope, query.filter, query.attributes.to_vec())
        .await?;
    let (mut found, mut references) = (Vec::new(), Vec::new());
    while let Some(entry) = stream.next().await? {
        if entry.is_intermediate() {
            continue;
        }
        if entry.is_ref() {
            take_reference(entry, &mut references);
            continue;
        }
        if found.len() <= query.entries_max {
            found.push(SearchEntry::construct(entry));
        }
    }
    let result = stream.finish().await;
    let control = result
        .ctrls
        .iter()
        .find(|control| control.1.ctype == PAGED_RESULTS_OID);
    let next = control
        .filter(|control| control.1.val.is_some())
        .map(|control| control.1.parse::<PagedResults>().cookie)
        .filter(|cookie| !cookie.is_empty());
    Ok((found, references, result, next))
}

/// Keeps a continuation reference (RFC 4511 § 4.5.3), if it is of a part that may hold people.
fn take_reference(entry: ResultEntry, references: &mut Vec<Reference>) {
    let addresses = entry.0.expect_constructed().unwrap_or_default().into_iter();
    let addresses = addresses.filter_map(|address| String::from_utf8(address.expect_primitive()?).ok());
    let reference = Reference(addresses.take(ADDRESSES_MAX).collect());
    // One too many suffices for the refusal.
    if reference.may_hold_people() && references.len() <= REFERENCES_MAX {
        references.push(reference);
    }
}

/// Runs one operation with its time limit. The LDAP library panics on some malformed answers: that ends the
/// operation, not the request that needed it.
async fn guarded<T>(
    url: &str,
    step: &'static str,
    limit: Duration,
    operation: impl Future<Output = Result<T, LdapError>>,
) -> Result<T, Fault> {
    match AssertUnwindSafe(timeout(limit, operation)).catch_unwind().await {
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(error))) => Err(broken(url, step, cause(&error))),
        Ok(Err(_)) => Err(Fault::TimedOut {
            url: url.to_owned(),
            step,
        }),
        Err(_) => Err(broken(url, step, "a malformed answer".to_owned())),
    }
}

fn broken(url: &str, step: &'static str, cause: String) -> Fault {
    Fault::Broken {
        url: url.to_owned(),
        step,
        cause,
    }
}

/// The library's errors in an operator's words.
fn cause(error: &LdapError) -> String {
    match error {
        LdapError::Io { source } => source.to_string(),
        LdapError::ResultRecv { .. } | LdapError::OpSend { .. } | LdapError::EndOfStream => {
            "the server closed it".to_owned()
        }
        other => other.to_string(),
    }
}
