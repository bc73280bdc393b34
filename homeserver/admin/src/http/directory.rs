//! The company's directory.

use axum::{Json, extract::State};
use echorift_appservice_ldap::mirror::{MirrorStatus, Outcome, Run};
use echorift_web::MatrixError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    ReasonBody,
    directory_groups::{GroupsDetail, RoomsPlan},
};
use crate::{
    Admin, DirectoryParts,
    administrator::{Administrator, Deed},
    extract::{InQuery, Told},
};

pub(super) fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(sync))
        .routes(routes!(approve))
        .routes(routes!(plan))
}

/// Whether there is a directory, and how it is asked and has answered.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Overview {
    On(Box<DirectoryDetail>),
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
    /// Absent where accounts are made and changed at log-ins only.
    sync: Option<SyncDetail>,
    /// Absent where no group is mapped to rooms.
    groups: Option<GroupsDetail>,
}

/// How the accounts are kept in step with the directory.
#[derive(Serialize, ToSchema)]
struct SyncDetail {
    is_running: bool,
    /// Whether changes are known within seconds at present: the directory tells of them, or is asked for them.
    /// Otherwise it is read at intervals.
    is_told: bool,
    /// Whether an administrator has approved what the next sync does.
    is_approved: bool,
    /// When the accounts were last as the directory says.
    last_done_ts: Option<i64>,
    /// The last sync, however it ended.
    last: Option<SyncRun>,
    /// Absent where this server reads the directory itself.
    feed: Option<FeedDetail>,
}

/// What was heard of the process that reads the directory.
#[derive(Serialize, ToSchema)]
struct FeedDetail {
    /// Whether it is there.
    is_connected: bool,
    /// When it last said anything, since this server's start.
    last_heard_ts: Option<i64>,
}

#[derive(Serialize, ToSchema)]
struct SyncRun {
    started_ts: i64,
    ended_ts: i64,
    /// `whole` if all of the directory was read, `changes` if only what it told of.
    reach: &'static str,
    /// `done`, `failed` (nothing was changed), or `stopped` (it would lock so many people that it waits for approval).
    outcome: &'static str,
    /// Why it failed.
    reason: Option<String>,
    /// If it was stopped: how many people it would lock, and how many it may.
    locks: Option<usize>,
    locks_max: Option<usize>,
    /// What the directory holds.
    people: usize,
    groups: usize,
    /// What was done to accounts.
    created: usize,
    updated: usize,
    locked: usize,
    unlocked: usize,
    /// How many were left as they are for a reason that the log tells.
    troubles: usize,
}

impl From<MirrorStatus> for SyncDetail {
    fn from(status: MirrorStatus) -> Self {
        Self {
            is_running: status.is_running,
            is_told: status.is_told,
            is_approved: status.is_approved,
            last_done_ts: status.last_done.map(|at| at.0),
            last: status.last.map(SyncRun::from),
            feed: status.feed.map(|heard| FeedDetail {
                is_connected: heard.is_connected,
                last_heard_ts: heard.last.map(|at| at.0),
            }),
        }
    }
}

impl From<Run> for SyncRun {
    fn from(run: Run) -> Self {
        let outcome = run.outcome.as_str();
        let (reason, stopped) = match run.outcome {
            Outcome::Done => (None, None),
            Outcome::Failed(reason) => (Some(reason), None),
            Outcome::Stopped { locks, locks_max } => (None, Some((locks, locks_max))),
        };
        let counts = run.counts;
        Self {
            started_ts: run.started.0,
            ended_ts: run.ended.0,
            reach: run.reach.as_str(),
            outcome,
            reason,
            locks: stopped.map(|(locks, _)| locks),
            locks_max: stopped.map(|(_, max)| max),
            people: counts.people,
            groups: counts.groups,
            created: counts.created,
            updated: counts.updated,
            locked: counts.locked,
            unlocked: counts.unlocked,
            troubles: counts.troubles,
        }
    }
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
    /// As of the first domain.
    sync: Option<SyncDetail>,
    /// As of the first domain.
    groups: Option<GroupsDetail>,
}

impl From<&DirectoryParts> for DomainDetail {
    fn from(parts: &DirectoryParts) -> Self {
        let status = parts.directory.status();
        Self {
            sync: parts.mirror.as_ref().map(|mirror| mirror.status().into()),
            groups: parts.groups.as_ref().map(GroupsDetail::of),
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
/// Where `sync` is on, people's accounts are kept in step with it; elsewhere they are made when people log in.
#[utoipa::path(get, path = "/directory", tag = "directory", responses((status = 200, body = Overview)))]
async fn overview(State(admin): State<Admin>, _: Administrator) -> Json<Overview> {
    let Some((first, domains)) = admin.parts().directories.split_first() else {
        return Json(Overview::Off(NoDirectory { enabled: false }));
    };
    let status = first.directory.status();
    Json(Overview::On(Box::new(DirectoryDetail {
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
        domains: domains.iter().map(DomainDetail::from).collect(),
        sync: first.mirror.as_ref().map(|mirror| mirror.status().into()),
        groups: first.groups.as_ref().map(GroupsDetail::of),
    })))
}

/// Reads the directory now and brings the accounts into step; answers when that has ended.
#[utoipa::path(post, path = "/directory/sync", tag = "directory", params(DomainQuery), request_body = Option<ReasonBody>,
    responses((status = 200, body = SyncDetail)))]
async fn sync(
    State(admin): State<Admin>,
    administrator: Administrator,
    InQuery(query): InQuery<DomainQuery>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<SyncDetail>, MatrixError> {
    let directory = query.load(&admin)?;
    let mirror = directory.load_mirror()?;
    let deed = Deed::new("directory.sync", &query.target(), body.reason);
    administrator.note(&admin, deed).await?;
    mirror.sync().await;
    Ok(Json(mirror.status().into()))
}

/// Lets one sync lock as many people as the directory says, and remove as many from rooms, and does it; answers when that
/// has ended.
#[utoipa::path(post, path = "/directory/approve", tag = "directory", params(DomainQuery), request_body = Option<ReasonBody>,
    responses((status = 200, body = SyncDetail)))]
async fn approve(
    State(admin): State<Admin>,
    administrator: Administrator,
    InQuery(query): InQuery<DomainQuery>,
    Told(body): Told<ReasonBody>,
) -> Result<Json<SyncDetail>, MatrixError> {
    let directory = query.load(&admin)?;
    let mirror = directory.load_mirror()?;
    let deed = Deed::new("directory.approve", &query.target(), body.reason);
    administrator.note(&admin, deed).await?;
    mirror.sync_approved().await;
    if let Some(groups) = &directory.groups {
        groups.sync_approved().await;
    }
    Ok(Json(mirror.status().into()))
}

/// Which domain of the directory.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DomainQuery {
    /// The name of a further domain; absent for the first.
    pub domain: Option<String>,
}

impl DomainQuery {
    /// The domain; `M_NOT_FOUND` if there is none of this name.
    pub(super) fn load<'a>(&self, admin: &'a Admin) -> Result<&'a DirectoryParts, MatrixError> {
        admin.load_directory(self.domain.as_deref())
    }

    /// What the audit log calls it.
    fn target(&self) -> String {
        match self.domain.as_deref() {
            None | Some("") => "directory".to_owned(),
            Some(domain) => format!("directory {domain}"),
        }
    }
}

/// What a sync would do.
#[derive(Serialize, ToSchema)]
struct PlanDetail {
    /// A line for each change, the first 10,000.
    changes: Vec<String>,
    /// How many there are.
    total: usize,
    /// How many people would be locked, and how many may be without approval.
    locks: usize,
    locks_max: usize,
    /// Who is left as they are, and why.
    troubles: Vec<TroubleDetail>,
    /// What groups would change in rooms, by the directory as it was last read. Absent where none is mapped, and before the
    /// first sync.
    rooms: Option<RoomsPlan>,
}

#[derive(Serialize, ToSchema)]
struct TroubleDetail {
    /// The distinguished name.
    who: String,
    what: &'static str,
}

/// What a sync would do now; nothing of it is done.
#[utoipa::path(get, path = "/directory/plan", tag = "directory", params(DomainQuery), responses((status = 200, body = PlanDetail)))]
async fn plan(
    State(admin): State<Admin>,
    _: Administrator,
    InQuery(query): InQuery<DomainQuery>,
) -> Result<Json<PlanDetail>, MatrixError> {
    const LINES_MAX: usize = 10_000;
    let directory = query.load(&admin)?;
    let mirror = directory.load_mirror()?;
    let plan = match mirror.plan().await {
        Ok(plan) => plan,
        Err(error) => return Err(MatrixError::unavailable(error.to_string())),
    };
    let rooms = match &directory.groups {
        Some(groups) => RoomsPlan::load(groups).await?,
        None => None,
    };
    let troubles = plan.troubles.iter().take(LINES_MAX).map(|trouble| TroubleDetail {
        who: trouble.who.clone(),
        what: trouble.what,
    });
    Ok(Json(PlanDetail {
        changes: plan
            .changes
            .iter()
            .take(LINES_MAX)
            .map(ToString::to_string)
            .collect(),
        total: plan.changes.len(),
        locks: plan.locks(),
        locks_max: mirror.locks_max(&plan).await.map_err(MatrixError::internal)?,
        troubles: troubles.collect(),
        rooms,
    }))
}
