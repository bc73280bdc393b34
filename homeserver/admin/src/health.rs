//! How the parts of the server are doing, for people.

use std::{path::Path, time::Duration};

use echorift_calls::SfuState;
use echorift_federation::Reachability;
use tokio::time::{Instant, timeout};

use crate::{Admin, store};

/// A database that takes longer than this does not answer, and one that takes longer than the second is slow.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);
const DATABASE_SLOW: Duration = Duration::from_millis(200);
/// So many events that wait for other servers are more than a busy moment.
const QUEUE_LONG: usize = 5_000;
/// A search index that is so far behind answers from an old world.
const LAG_LONG: i64 = 10_000;
/// Parts of the disk that should stay free, in hundredths.
const DISK_LOW_PERCENT: u64 = 10;
const DISK_FULL_PERCENT: u64 = 2;

/// How a part is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Ok,
    Degraded,
    Down,
}

/// A part of the server, and a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) condition: Condition,
    pub(crate) detail: String,
}

impl Component {
    fn new(name: impl Into<String>, condition: Condition, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            condition,
            detail: detail.into(),
        }
    }
}

impl Admin {
    /// All parts that there is something to say of.
    pub(crate) async fn health(&self) -> Vec<Component> {
        let database = self.database_health().await;
        let is_down = database.condition == Condition::Down;
        let mut components = vec![database];
        if !is_down {
            components.push(self.search_health().await);
        }
        components.extend(self.federation_health());
        components.extend(self.sfu_health());
        components.extend(self.directory_health());
        components.extend(disk_health(&self.parts().data_dir));
        components
    }

    async fn database_health(&self) -> Component {
        let started = Instant::now();
        let answer = timeout(DATABASE_TIMEOUT, store::ping(self.rooms().database())).await;
        let elapsed = started.elapsed();
        let took = format!("It answers within {:.1} ms.", elapsed.as_secs_f64() * 1e3);
        match answer {
            Ok(Ok(())) if elapsed > DATABASE_SLOW => Component::new("database", Condition::Degraded, took),
            Ok(Ok(())) => Component::new("database", Condition::Ok, took),
            Ok(Err(error)) => Component::new(
                "database",
                Condition::Down,
                format!("It refuses requests: {error}."),
            ),
            Err(_) => Component::new("database", Condition::Down, "It does not answer in time."),
        }
    }

    /// The search index is the reader of the log that has most to do.
    async fn search_health(&self) -> Component {
        match echorift_search::backlog(self.rooms(), LAG_LONG).await {
            Ok(0) => Component::new("search", Condition::Ok, "The index holds everything."),
            Ok(lag) => {
                let condition = if lag >= LAG_LONG {
                    Condition::Degraded
                } else {
                    Condition::Ok
                };
                Component::new(
                    "search",
                    condition,
                    format!("{lag} events are not in the index yet."),
                )
            }
            Err(error) => Component::new(
                "search",
                Condition::Down,
                format!("The index cannot be read: {error}."),
            ),
        }
    }

    fn federation_health(&self) -> Option<Component> {
        let all = self.federation()?.destination_overviews();
        let count = |wanted: &[Reachability]| {
            let found = all.iter().filter(|server| wanted.contains(&server.reachability));
            found.count()
        };
        let queued: usize = all.iter().filter_map(|server| server.queued_events).sum();
        let away = count(&[Reachability::Unreachable, Reachability::Refused]);
        let detail = format!(
            "{} servers, {away} of them cannot be reached; {queued} events wait.",
            all.len()
        );
        let is_bad = queued > QUEUE_LONG || (away > 0 && away == all.len());
        let condition = if is_bad {
            Condition::Degraded
        } else {
            Condition::Ok
        };
        Some(Component::new("federation", condition, detail))
    }

    /// How the directory of each domain has answered when somebody logged in last.
    fn directory_health(&self) -> Vec<Component> {
        let parts = self.parts();
        let directories = parts.directories.iter().map(|parts| &parts.directory);
        let told = directories.map(|directory| {
            let status = directory.status();
            let name = if status.domain.is_empty() {
                "directory".to_owned()
            } else {
                format!("directory {}", status.domain)
            };
            match (status.is_up(), status.last_failure) {
                (None, _) => Component::new(name, Condition::Ok, "Nobody has logged in since the start."),
                (Some(false), Some(failure)) => Component::new(
                    name,
                    Condition::Down,
                    format!("It does not answer: {}.", failure.reason),
                ),
                (Some(_), _) => Component::new(name, Condition::Ok, "It answers."),
            }
        });
        told.collect()
    }

    fn sfu_health(&self) -> Vec<Component> {
        let sfus = self.parts().sfus.iter();
        let told = sfus.map(|(name, health)| {
            let health = health.borrow().clone();
            let condition = match health.state {
                SfuState::Up => Condition::Ok,
                SfuState::Starting => Condition::Degraded,
                SfuState::Down | SfuState::Stopped => Condition::Down,
            };
            let detail = match (health.state, health.problem.is_empty()) {
                (SfuState::Up, _) if health.restarts == 0 => "It carries calls.".to_owned(),
                (SfuState::Up, _) => format!(
                    "It carries calls; it had to be started again {} times.",
                    health.restarts
                ),
                (_, true) => "It does not carry calls yet.".to_owned(),
                (_, false) => health.problem,
            };
            let name = if name.is_empty() {
                "sfu".to_owned()
            } else {
                format!("sfu {name}")
            };
            Component::new(name, condition, detail)
        });
        told.collect()
    }
}

/// The disk that the data folder is on.
fn disk_health(folder: &Path) -> Option<Component> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let all = disk.f_blocks.saturating_mul(disk.f_frsize).max(1);
    let percent = free.saturating_mul(100) / all;
    let condition = match percent {
        0..DISK_FULL_PERCENT => Condition::Down,
        DISK_FULL_PERCENT..DISK_LOW_PERCENT => Condition::Degraded,
        _ => Condition::Ok,
    };
    let gib = free / (1024 * 1024 * 1024);
    Some(Component::new(
        "disk",
        condition,
        format!("{gib} GiB are free, {percent} %."),
    ))
}
