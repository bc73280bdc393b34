//! Takes the numbers of the server every quarter of a minute.

use echorift_storage::Timestamp;
use tokio::{sync::watch, time::MissedTickBehavior};

use crate::{
    Admin,
    series::{SAMPLED_EVERY, Sample},
};

/// Samples until `stopping` turns true.
pub(crate) async fn run(admin: Admin, mut stopping: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(SAMPLED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            // An error is the end of whoever could have said so.
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let sample = take(&admin, admin.rooms().clock().now());
        admin.series().lock().push(&sample);
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers for a chart")]
fn take(admin: &Admin, at: Timestamp) -> Sample {
    let counts = admin.parts().traffic.counts();
    let queued = admin
        .federation()
        .map(|federation| federation.sender().queued() as f64);
    let calls = &admin.parts().calls;
    let people = calls.is_on().then(|| calls.people_seen() as f64);
    Sample {
        at,
        counts,
        commits: admin.rooms().database().writer().commit_totals(),
        gauges: [
            Some(counts.streams as f64),
            queued,
            memory_bytes().map(|bytes| bytes as f64),
            people,
        ],
    }
}

/// What the process holds of the machine's memory, where the system tells.
fn memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}
