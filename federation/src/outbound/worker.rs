//! Sends to one destination for as long as something waits for it: one transaction at a time, in order.

use std::{sync::Arc, time::Instant};

use echorift_storage::{EventNumber, Position, StorageError};

use super::{
    Outbound,
    catch_up::Missed,
    destination::{Arrived, Destination, Plan, Step},
    edu::RawEdu,
    transaction::{Content, EDUS_MAX},
    transport::SendFailure,
};

/// When a destination is asked again after a fault of our own, or of whoever should know better.
const RETRY_MS: i64 = 30_000;

/// Why a worker ends.
enum Fault {
    /// The destination is away.
    Away,
    /// The database did not answer.
    Storage(StorageError),
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// A transaction, but for its ID.
struct Draft {
    content: Content,
    arrived: Arrived,
    /// EDUs of one position that found no room in the transaction.
    more_edus: Vec<RawEdu>,
}

impl Draft {
    fn items(&self) -> usize {
        self.content.events.len() + self.content.edus.len() + self.more_edus.len()
    }
}

/// Starts a worker for a destination that says it needs one.
pub(super) fn start(outbound: &Outbound, destination: &Arc<Destination>) {
    tokio::spawn(run(outbound.clone(), Arc::clone(destination)));
}

async fn run(outbound: Outbound, destination: Arc<Destination>) {
    loop {
        if outbound.is_stopping() {
            destination.stop();
            return;
        }
        let result = match destination.next_step(Instant::now()) {
            Step::Done => return,
            Step::Pause(pause) => {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = destination.woken() => {}
                    () = outbound.stopping() => {}
                }
                continue;
            }
            // Nothing is built for who is not to be asked.
            Step::Send | Step::CatchUp(_) if outbound.due_at(&destination).is_some() => {
                rest(&outbound, &destination, false);
                return;
            }
            Step::CatchUp(after) => catch_up(&outbound, &destination, after).await,
            Step::Send => send(&outbound, &destination).await,
        };
        match result {
            Ok(()) => {}
            Err(Fault::Away) => {
                rest(&outbound, &destination, true);
                return;
            }
            Err(Fault::Storage(error)) => {
                tracing::error!(destination = %destination.name, %error, "what waits for a server could not be read");
                rest(&outbound, &destination, false);
                return;
            }
        }
    }
}

/// Lets the destination be until it is due.
fn rest(outbound: &Outbound, destination: &Destination, has_failed: bool) {
    destination.rest(has_failed);
    let due = outbound.due_at(destination);
    let due = due.unwrap_or_else(|| outbound.now().plus_ms(RETRY_MS));
    outbound.0.roster.retry_at(&destination.name, due);
}

async fn catch_up(outbound: &Outbound, destination: &Destination, after: Position) -> Result<(), Fault> {
    // The semaphore is never closed.
    let _permit = outbound.0.roster.catching_up.acquire().await;
    let parts = &outbound.0.parts;
    let missed = Missed {
        database: parts.rooms.database(),
        clock: &parts.clock,
        rooms: &parts.rooms,
        policy: &parts.policy,
    };
    let page = missed.page(&destination.name, after).await?;
    metrics::counter!("echorift_federation_events_caught_up_total")
        .increment(u64::try_from(page.events.len()).unwrap_or(0));
    destination.fill(page.events, page.covers);
    Ok(())
}

async fn send(outbound: &Outbound, destination: &Destination) -> Result<(), Fault> {
    let _permit = outbound.0.roster.budget(destination.standing()).acquire().await;
    // Only now, so that all that came while it waited goes along.
    let plan = destination.plan(Instant::now());
    let may_part = !plan.is_careful;
    let mut draft = draft(outbound, destination, plan).await?;
    loop {
        if draft.items() == 0 {
            destination.skip(draft.arrived);
            return Ok(());
        }
        let more = draft.more_edus.split_off(draft.more_edus.len().min(EDUS_MAX));
        let next = Content {
            events: Vec::new(),
            edus: std::mem::replace(&mut draft.more_edus, more),
        };
        let items = draft.items();
        let content = std::mem::replace(&mut draft.content, next);
        match transmit(outbound, destination, content).await {
            Ok(()) => {}
            Err(SendFailure::Later(reason)) => {
                tracing::debug!(destination = %destination.name, reason, "a transaction did not arrive");
                return Err(Fault::Away);
            }
            Err(SendFailure::Refused { status, reason }) if items > 1 && may_part => {
                tracing::info!(
                    destination = %destination.name, %status, reason, items,
                    "a transaction was refused and is sent in parts"
                );
                destination.be_careful();
                return Ok(());
            }
            Err(SendFailure::Refused { status, reason }) => {
                tracing::warn!(
                    destination = %destination.name, %status, reason,
                    "a server refuses an event or EDU for good; it goes without"
                );
                metrics::counter!("echorift_federation_items_given_up_total").increment(1);
                destination.skip(draft.arrived);
                return Ok(());
            }
        }
        if draft.items() == 0 {
            break;
        }
    }
    if let Some(up_to) = draft.arrived.edus
        && let Some(durable) = outbound.durable()
    {
        durable.delivered(&destination.name, up_to).await?;
    }
    destination.arrived(draft.arrived);
    Ok(())
}

/// Fetches what was planned.
async fn draft(outbound: &Outbound, destination: &Destination, plan: Plan) -> Result<Draft, Fault> {
    let numbers: Vec<EventNumber> = plan.events.iter().map(|(_, event)| *event).collect();
    let events = outbound.0.parts.rooms.events(&numbers).await?;
    let mut edus = Vec::new();
    let mut edus_arrived = None;
    if let Some((after, limit)) = plan.durable {
        let found = match outbound.durable() {
            Some(durable) => durable.next(&destination.name, after, limit).await?,
            None => Vec::new(),
        };
        edus_arrived = match found.last() {
            Some((last, _)) if found.len() >= limit => Some(*last),
            last => Some(last.map_or(plan.durable_latest, |(last, _)| plan.durable_latest.max(*last))),
        };
        edus.extend(found.into_iter().map(|(_, edu)| edu));
    }
    edus.extend(plan.edus);
    let more_edus = edus.split_off(edus.len().min(EDUS_MAX));
    let asked_for = plan.events.last().map(|(position, _)| *position);
    let mut content = Content { events, edus };
    let found = content.events.len();
    content.limit();
    let events_arrived = match content.events.last() {
        // Some did not fit and stay queued.
        Some(last) if content.events.len() < found => Some(last.position()),
        _ => asked_for,
    };
    Ok(Draft {
        content,
        arrived: Arrived {
            events: events_arrived,
            edus: edus_arrived,
        },
        more_edus,
    })
}

async fn transmit(
    outbound: &Outbound,
    destination: &Destination,
    content: Content,
) -> Result<(), SendFailure> {
    let body = outbound.0.bodies.body(content, outbound.now());
    let id = outbound.0.transaction_ids.next();
    let result = outbound
        .0
        .parts
        .transport
        .send(&destination.name, &id, &body)
        .await;
    let outcome = match &result {
        Ok(()) => {
            let count = |number| u64::try_from(number).unwrap_or(0);
            metrics::counter!("echorift_federation_pdus_sent_total").increment(count(body.pdus));
            metrics::counter!("echorift_federation_edus_sent_total").increment(count(body.edus));
            "sent"
        }
        Err(SendFailure::Later(_)) => "failed",
        Err(SendFailure::Refused { .. }) => "refused",
    };
    metrics::counter!("echorift_federation_transactions_total", "outcome" => outcome).increment(1);
    result
}
