//! What `echorift check` says of the references that it meets.

use std::collections::BTreeSet;

use super::{Away, Place, Reference, Referrals, Trail};
use crate::check::CheckFinding;
use crate::connection::Query;
use crate::directory::Inner;

/// References that are looked at one by one.
const SAMPLE: usize = 20;

impl Inner {
    /// Says what the settings make of references, and tries the servers that they lead to at once.
    pub(crate) async fn check_references(
        &self,
        url: &str,
        query: Query<'_>,
        references: Vec<Reference>,
        findings: &mut Vec<CheckFinding>,
    ) {
        let place = Place::from(query);
        let mut told = BTreeSet::new();
        let mut away = Away::new(self);
        for reference in references.into_iter().take(SAMPLE) {
            let to = reference.text().to_owned();
            if !told.insert(to.clone()) {
                continue;
            }
            let refers = format!("{url} refers to {to} for a part of the tree");
            findings.push(match self.referrals.policy {
                Referrals::Ignore => CheckFinding::good(format!("{refers}, which is ignored")),
                Referrals::Refuse if self.config.mirror.is_enabled => CheckFinding::failure(
                    format!("{refers}: the directory is not mirrored"),
                    "set referrals = \"follow\" and list the host in referral_hosts, or set referrals = \"ignore\"",
                ),
                Referrals::Refuse => CheckFinding::warning(
                    format!("{refers}: who is there cannot log in"),
                    "set referrals = \"follow\" and list the host in referral_hosts, or set referrals = \"ignore\"",
                ),
                Referrals::Follow => {
                    let mut trail = Trail::begin(&self.referrals, url, &place);
                    let errand = trail.add(vec![reference], &place, 0).map(|()| trail.next());
                    match errand {
                        Ok(None) => CheckFinding::good(format!("{refers}, which is asked already")),
                        Ok(Some(errand)) => match away.reach(errand).await {
                            Ok((_, stop)) => CheckFinding::good(format!(
                                "{refers}; {} accepts the service account",
                                stop.server.text
                            )),
                            Err(fault) => CheckFinding::failure(
                                fault.to_string(),
                                "see that the server is up, and that it knows the service account and its password",
                            ),
                        },
                        Err(fault) => CheckFinding::failure(
                            fault.to_string(),
                            "list the host in referral_hosts if it is one of yours, or choose a base below one server alone",
                        ),
                    }
                }
            });
        }
    }
}
