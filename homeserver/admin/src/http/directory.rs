//! The company's directory.

use axum::{Json, extract::State};
use echorift_appservice_ldap::DirectoryStatus;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Admin, administrator::Administrator};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new().routes(routes!(overview))
}

/// Whether there is a directory, and how it is asked and has answered.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Overview {
    On(DirectoryDetail),
    Off(NoDirectory),
}

#[derive(Serialize, ToSchema)]
struct NoDirectory {
    /// `false`.
    enabled: bool,
}

/// How the directory is asked, and how it has answered since the server's start.
#[derive(Serialize, ToSchema)]
struct DirectoryDetail {
    /// `true`.
    enabled: bool,
    /// In the order in which they are asked.
    urls: Vec<String>,
    start_tls: bool,
    base_dn: String,
    user_filter: String,
    /// Empty where everybody may log in.
    login_group: String,
    /// Empty where the directory does not say who administers.
    admin_group: String,
    /// When it last answered, whatever the answer was: it is asked when somebody logs in.
    last_answer_ts: Option<i64>,
    last_failure_ts: Option<i64>,
    /// Why it did not answer then.
    last_failure: Option<String>,
    /// The company's further domains, in the order in which they are asked.
    domains: Vec<DomainDetail>,
}

/// A further domain of the company.
#[derive(Serialize, ToSchema)]
struct DomainDetail {
    name: String,
    urls: Vec<String>,
    base_dn: String,
    last_answer_ts: Option<i64>,
    last_failure_ts: Option<i64>,
    last_failure: Option<String>,
}

impl From<DirectoryStatus> for DomainDetail {
    fn from(status: DirectoryStatus) -> Self {
        Self {
            name: status.domain,
            urls: status.urls,
            base_dn: status.base_dn,
            last_answer_ts: status.last_answer.map(|at| at.0),
            last_failure_ts: status.last_failure.as_ref().map(|failure| failure.at.0),
            last_failure: status.last_failure.map(|failure| failure.reason),
        }
    }
}

/// The company's directory, which vouches for passwords.
///
/// People are not copied from it: their accounts are made when they log in.
#[utoipa::path(get, path = "/directory", tag = "directory", responses((status = 200, body = Overview)))]
async fn overview(State(admin): State<Admin>, _: Administrator) -> Json<Overview> {
    let Some(directory) = &admin.parts().directory else {
        return Json(Overview::Off(NoDirectory { enabled: false }));
    };
    let status = directory.status();
    let domains = admin.parts().directory_domains.iter();
    Json(Overview::On(DirectoryDetail {
        enabled: true,
        urls: status.urls,
        start_tls: status.start_tls,
        base_dn: status.base_dn,
        user_filter: status.user_filter,
        login_group: status.login_group,
        admin_group: status.admin_group,
        last_answer_ts: status.last_answer.map(|at| at.0),
        last_failure_ts: status.last_failure.as_ref().map(|failure| failure.at.0),
        last_failure: status.last_failure.map(|failure| failure.reason),
        domains: domains.map(|domain| domain.status().into()).collect(),
    }))
}
