//! Sends to one destination for as long as something waits for it: one transaction at a time, in order.

use std::{sync::Arc, time::Instant};

use echorift_storage::{EventNumber, Position, StorageError};

use super::{
    Outbound,
    catch_up::Missed,
    destination::{Arrived, Destination, LastFailure, Plan, Step},
    edu::RawEdu,
    transaction::{Content, split_fitting},
    transport::SendFailure,
};

/// When a destination is asked again that the transport would ask at once: it answers but takes nothing, or it is our
/// own database that does not answer. The time doubles up to the second value.
const RETRY_MIN_MS: i64 = 5_000;
const RETRY_MAX_MS: i64 = 900_000;

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
    /// EDUs that found no room in the transaction: they go in others before anything is acknowledged.
    more_edus: Vec<RawEdu>,
    /// Whether any of the EDUs must arrive.
    has_durable: bool,
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
        // Nothing is built for who is not to be asked.
        if let Some(due) = outbound.due_at(&destination) {
            destination.rest(false);
            outbound.0.roster.retry_at(&destination.name, due);
            return;
        }
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
    let doublings = u32::from(destination.rest(has_failed)).min(20);
    let delay = RETRY_MIN_MS.saturating_mul(1_i64 << doublings).min(RETRY_MAX_MS);
    let due = outbound.due_at(destination);
    let due = due.unwrap_or_else(|| outbound.now().plus_ms(delay));
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
    if outbound.is_stopping() {
        return Ok(());
    }
    // Only now, so that all that came while it waited goes along.
    let mut plan = destination.plan(Instant::now());
    let may_part = !plan.is_careful;
    let mut repeated = plan.transaction_id.take();
    let mut is_first = true;
    let mut draft = draft(outbound, destination, plan).await?;
    let has_durable = draft.has_durable;
    loop {
        if draft.items() == 0 {
            destination.skip(draft.arrived);
            return Ok(());
        }
        let mut edus = std::mem::take(&mut draft.more_edus);
        draft.more_edus = split_fitting(&mut edus);
        let next = Content {
            events: Vec::new(),
            edus,
        };
        let items = draft.items();
        let content = std::mem::replace(&mut draft.content, next);
        let repeated = repeated.take();
        let id = repeated.unwrap_or_else(|| outbound.0.transaction_ids.next());
        match transmit(outbound, destination, &id, content).await {
            Ok(()) => is_first = false,
            Err(SendFailure::Later { reason, is_refusal }) => {
                if is_first {
                    destination.unanswered(id, draft.arrived);
                }
                tracing::debug!(destination = %destination.name, reason, "a transaction did not arrive");
                destination.note_failure(LastFailure { reason, is_refusal });
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
    if let Some(up_to) = draft.arrived.edus.filter(|_| has_durable)
        && let Some(durable) = outbound.durable()
    {
        durable.delivered(&destination.name, up_to).await?;
    }
    destination.arrived(draft.arrived);
    destination.note_success(outbound.now());
    Ok(())
}

/// Fetches what was planned.
async fn draft(outbound: &Outbound, destination: &Destination, plan: Plan) -> Result<Draft, Fault> {
    let numbers: Vec<EventNumber> = plan.events.iter().map(|(_, event)| *event).collect();
    let events = outbound.0.parts.rooms.events(&numbers).await?;
    let mut edus = Vec::new();
    let mut edus_arrived = None;
    if let Some((after, limit)) = plan.durable {
        if let Some(durable) = outbound.durable() {
            let name = &destination.name;
            let page = durable.next(name, after, plan.durable_latest, limit).await?;
            edus_arrived = Some(page.covers.min(plan.durable_latest));
            edus = page.edus;
        } else {
            edus_arrived = Some(plan.durable_latest);
        }
    }
    let has_durable = !edus.is_empty();
    edus.extend(plan.edus);
    let more_edus = split_fitting(&mut edus);
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
        has_durable,
    })
}

async fn transmit(
    outbound: &Outbound,
    destination: &Destination,
    id: &str,
    content: Content,
) -> Result<(), SendFailure> {
    let body = outbound.0.bodies.body(content, outbound.now());
    let result = outbound
        .0
        .parts
        .transport
        .send(&destination.name, id, &body)
        .await;
    let outcome = match &result {
        Ok(()) => {
            let count = |number| u64::try_from(number).unwrap_or(0);
            metrics::counter!("echorift_federation_pdus_sent_total").increment(count(body.pdus));
            metrics::counter!("echorift_federation_edus_sent_total").increment(count(body.edus));
            "sent"
        }
        Err(SendFailure::Later { .. }) => "failed",
        Err(SendFailure::Refused { .. }) => "refused",
    };
    metrics::counter!("echorift_federation_transactions_total", "outcome" => outcome).increment(1);
    result
}
