//! What `echorift check` says about the directory: each step of a login tried on each server, with advice.

use ldap3::Scope;

use crate::connection::{Connection, Fault, Query};
use crate::directory::{Directory, Inner};
use crate::endpoints::{Credentials, attempt};
use crate::entry::Entry;
use crate::identity::DirectoryUser;
use crate::refusal::LoginRefusal;
use crate::url::DirectoryUrl;

/// How good a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Good,
    /// Works, but not as it should.
    Warning,
    /// Logins fail.
    Failure,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFinding {
    pub severity: Severity,
    /// What was seen, as a sentence; names the server. Holds no person's name or address.
    pub finding: String,
    /// What to do about it; empty if all is well.
    pub advice: String,
}

impl CheckFinding {
    pub(crate) fn good(finding: String) -> Self {
        Self {
            severity: Severity::Good,
            finding,
            advice: String::new(),
        }
    }

    pub(crate) fn warning(finding: String, advice: &str) -> Self {
        Self {
            severity: Severity::Warning,
            finding,
            advice: advice.to_owned(),
        }
    }

    pub(crate) fn failure(finding: String, advice: &str) -> Self {
        Self {
            severity: Severity::Failure,
            finding,
            advice: advice.to_owned(),
        }
    }
}

/// As many people as a sample needs to show what most entries look like.
const SAMPLE: usize = 20;

impl Directory {
    /// Tries every server in turn, and on each all that a login does short of a person's password. Takes at most
    /// the configured time limits per server.
    pub async fn check(&self) -> Vec<CheckFinding> {
        let mut findings = Vec::new();
        for url in self.inner.endpoints.urls() {
            self.inner.check_server(url, &mut findings).await;
        }
        findings
    }
}

impl Inner {
    async fn check_server(&self, url: &DirectoryUrl, findings: &mut Vec<CheckFinding>) {
        let Some(mut connection) = self.check_bind(url, findings).await else {
            return;
        };
        if self.config.is_direct_bind() {
            return;
        }
        if let Err(fault) = self.check_people(&mut connection, findings).await {
            findings.push(refused(
                &fault,
                "see that the service account may search below base_dn",
            ));
        }
        match self.check_deleted(&mut connection).await {
            Ok(found) => findings.extend(found),
            Err(fault) => findings.push(refused(&fault, connect_advice(&fault))),
        }
        let login_groups = self.config.login_groups().into_iter();
        let groups = login_groups.map(|group| ("login_group", group));
        for (key, group) in groups.chain([("admin_group", self.config.admin_group.as_str())]) {
            if !group.is_empty() {
                findings.push(check_group(&mut connection, key, group).await);
            }
        }
    }

    /// Reaches the server, encrypts, binds.
    async fn check_bind(&self, url: &DirectoryUrl, findings: &mut Vec<CheckFinding>) -> Option<Connection> {
        let text = &url.text;
        // With direct bind there is no account to try: an anonymous bind shows that the server is there.
        let anonymous = Credentials {
            name: String::new(),
            password: String::new(),
        };
        let account = self.service_account().unwrap_or(anonymous);
        let (connection, result) = match attempt(url, self.endpoints.dialling(), &account).await {
            Ok(bound) => bound,
            Err(fault) => {
                findings.push(refused(&fault, connect_advice(&fault)));
                return None;
            }
        };
        let is_encrypted = url.is_ldaps || self.config.start_tls;
        findings.push(if is_encrypted {
            CheckFinding::good(format!("{text} is reached, its certificate is trusted"))
        } else {
            CheckFinding::warning(
                format!("{text} is reached without encryption: passwords travel in clear"),
                "use an ldaps:// address, or set start_tls = true",
            )
        });
        if self.config.is_direct_bind() {
            let advice = "log in once to see whether bind_dn and user_filter fit";
            findings.push(CheckFinding::warning(
                format!("{text}: with direct bind no more can be checked"),
                advice,
            ));
            return None;
        }
        if result.rc != 0 {
            let advice = match result.rc {
                49 | 32 | 34 => "check bind_dn and bind_password",
                8 | 13 => "the server asks for encryption: use ldaps:// or start_tls = true",
                _ => "ask the directory's administrator what the answer means",
            };
            findings.push(CheckFinding::failure(
                format!("{text} refused the service account: {result}"),
                advice,
            ));
            return None;
        }
        findings.push(CheckFinding::good(format!("{text} accepts the service account")));
        Some(connection)
    }

    /// Looks for anybody whom the filter could find, and at whether their entries can become accounts.
    async fn check_people(
        &self,
        connection: &mut Connection,
        findings: &mut Vec<CheckFinding>,
    ) -> Result<(), Fault> {
        let attributes = self.attributes();
        let query = Query {
            base: &self.config.base_dn,
            scope: Scope::Subtree,
            filter: self.user_filter.for_anyone(),
            attributes: &attributes,
            entries_max: SAMPLE,
        };
        let url = connection.url().to_owned();
        let (people, references) = match connection.search_here(query).await {
            Err(fault) if fault.is_missing_entry() => {
                let advice = "correct base_dn, or let the service account read there";
                findings.push(CheckFinding::failure(
                    format!("{url} has no entry at base_dn"),
                    advice,
                ));
                return Ok(());
            }
            answer => answer?,
        };
        findings.push(self.judge_sample(&url, &people));
        self.check_references(&url, query, references, findings).await;
        Ok(())
    }

    fn judge_sample(&self, url: &str, people: &[Entry]) -> CheckFinding {
        if people.is_empty() {
            let advice = "correct user_filter, or let the service account read people's entries";
            return CheckFinding::failure(format!("{url}: nobody below base_dn matches user_filter"), advice);
        }
        let mut incomplete: Vec<String> = people
            .iter()
            .filter_map(|entry| match DirectoryUser::from_entry(entry, &self.config) {
                Err(LoginRefusal::IncompleteEntry { attribute }) => Some(attribute),
                _ => None,
            })
            .collect();
        let (count, total) = (incomplete.len(), people.len());
        incomplete.sort_unstable();
        incomplete.dedup();
        if count == 0 {
            return CheckFinding::good(format!("{url}: {total} sample entries can become accounts"));
        }
        let finding = format!(
            "{url}: {count} of {total} sample entries have no usable {}",
            incomplete.join(" and no usable ")
        );
        let advice = "set attribute_id and attribute_uid to what this directory uses: entryUUID and uid in OpenLDAP, \
                      objectGUID and sAMAccountName in Active Directory";
        if count == total {
            CheckFinding::failure(finding, advice)
        } else {
            CheckFinding::warning(finding, advice)
        }
    }
}

async fn check_group(connection: &mut Connection, key: &str, group: &str) -> CheckFinding {
    let url = connection.url().to_owned();
    let query = Query {
        base: group,
        scope: Scope::Base,
        filter: "(objectClass=*)",
        attributes: &["1.1"],
        entries_max: 1,
    };
    let missing = || {
        let advice = format!("correct {key}, or let the service account read the group");
        CheckFinding::failure(format!("{url} has no entry at {key}"), &advice)
    };
    match connection.search(query).await {
        Ok(found) if !found.is_empty() => CheckFinding::good(format!("{url}: {key} exists")),
        Ok(_) => missing(),
        Err(fault) if fault.is_missing_entry() => missing(),
        Err(fault) => refused(&fault, "let the service account read the group"),
    }
}

fn refused(fault: &Fault, advice: &str) -> CheckFinding {
    CheckFinding::failure(fault.to_string(), advice)
}

fn connect_advice(fault: &Fault) -> &'static str {
    match fault {
        Fault::Unreachable { .. } => "check the name, the port and the firewall in between",
        Fault::Tls { .. } => {
            "name the authority that signed the server's certificate in ca_file, and the server as its certificate does"
        }
        Fault::TimedOut { .. } => "check the firewall in between, or raise connect_timeout",
        Fault::Broken { .. } => {
            "check that this is an LDAP port, and ldaps:// only where the server expects TLS"
        }
        Fault::Referred { .. } => "name the server that holds the whole tree below the base",
        Fault::NotFollowed { .. } => "list the host in referral_hosts if it is one of yours",
        Fault::Refused { .. } | Fault::NoServer(_) | Fault::Busy(_) => {
            "try again when the server is less busy"
        }
    }
}
