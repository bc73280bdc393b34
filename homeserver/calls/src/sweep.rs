//! Every half a minute, what the SFUs say is compared with what this server thinks: webhooks get lost, and servers restart.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::atomic::Ordering,
    time::Duration,
};

use echorift_storage::Change;
use futures_util::{StreamExt as _, stream};
use livekit_protocol::ParticipantInfo;

use crate::{
    CallError, Calls, Sfu, SfuError,
    calls::{Grant, Seat},
    leaving::Signal,
    livekit::label,
    options::{TOKEN_LIFETIME, milliseconds},
    store::grants,
};

/// How often it is done.
const EVERY: Duration = Duration::from_secs(30);
/// How long after their end grants are kept: while an SFU cannot be asked, nobody knows who is still in a call.
const FORGOTTEN_AFTER_MS: i64 = 24 * 60 * 60 * 1_000;
/// How many rooms of an SFU are asked for at the same time.
const ROOMS_AT_ONCE: usize = 8;

/// What one SFU says.
pub(crate) struct Roster {
    open: HashSet<String>,
    /// Of the rooms that this server let somebody into.
    participants: HashMap<String, Vec<ParticipantInfo>>,
}

impl Roster {
    /// Who sits there.
    pub(crate) fn find(&self, seat: &Seat) -> Option<&ParticipantInfo> {
        let people = self.participants.get(&seat.livekit_room)?;
        people
            .iter()
            .find(|participant| participant.identity == seat.identity)
    }
}

/// What the last sweep saw, by SFU.
#[derive(Default)]
struct Seen {
    /// The rooms with somebody in them.
    populated: BTreeMap<String, BTreeSet<String>>,
}

/// Sweeps for ever.
pub(crate) async fn run(calls: Calls) {
    let mut seen = Seen::default();
    let mut nudged = calls.0.nudges.subscribe();
    loop {
        nudged.mark_unchanged();
        if let Err(error) = calls.sweep(&mut seen).await {
            tracing::error!(%error, "the calls could not be compared with what the SFUs say");
        }
        // An SFU that has come back is asked at once.
        let _ = tokio::time::timeout(EVERY, nudged.changed()).await;
    }
}

impl Calls {
    /// Has the SFUs compared with what is known here now, and not in half a minute: one of them has come back.
    pub fn look_again(&self) {
        self.0
            .nudges
            .send_modify(|nudges| *nudges = nudges.wrapping_add(1));
    }

    /// How many people were in calls when that was last compared.
    pub fn people_seen(&self) -> usize {
        self.0.people_seen.load(Ordering::Relaxed)
    }

    async fn sweep(&self, seen: &mut Seen) -> Result<(), CallError> {
        self.enforce_everywhere().await?;
        let now = self.now();
        self.0.settling.prune(now);
        let grants = grants::all(self.database()).await?;
        let (mut calls, mut people) = (0_usize, 0_usize);
        for sfu in self.sfus().all() {
            let name = &sfu.options().name;
            let of_sfu: Vec<&Grant> = grants.iter().filter(|grant| grant.seat.sfu == *name).collect();
            if of_sfu.is_empty() {
                seen.populated.remove(name);
                continue;
            }
            let roster = match self.roster(sfu, &of_sfu).await {
                Ok(roster) => roster,
                Err(error) => {
                    tracing::warn!(sfu = label(name), %error, "an SFU does not tell who is in its calls");
                    continue;
                }
            };
            self.reopen_lost(sfu, seen.populated.get(name), &roster).await;
            let populated = roster
                .participants
                .iter()
                .filter(|(_, people)| !people.is_empty());
            let populated: BTreeSet<String> = populated.map(|(room, _)| room.clone()).collect();
            calls = calls.saturating_add(populated.len());
            people = people.saturating_add(roster.participants.values().map(Vec::len).sum());
            seen.populated.insert(name.clone(), populated);
            if let Err(error) = self.compare(sfu, &of_sfu, &roster).await {
                tracing::warn!(sfu = label(name), %error, "the calls of an SFU could not be put right");
            }
        }
        self.0.people_seen.store(people, Ordering::Relaxed);
        gauge("echorift_calls_running", calls);
        gauge("echorift_calls_participants", people);
        let long_ago = now.plus_ms(-FORGOTTEN_AFTER_MS);
        if grants.iter().any(|grant| grant.expires < long_ago) {
            let mut change = Change::new();
            grants::purge(&mut change, long_ago);
            self.database().writer().commit(change).await?;
        }
        Ok(())
    }

    /// Who is in the rooms of an SFU that this server let somebody into.
    pub(crate) async fn roster(&self, sfu: &Sfu, grants: &[&Grant]) -> Result<Roster, SfuError> {
        let open: HashSet<String> = sfu.rooms().await?.into_iter().collect();
        let ours: BTreeSet<&String> = grants.iter().map(|grant| &grant.seat.livekit_room).collect();
        let asked = ours.into_iter().filter(|room| open.contains(*room));
        let ask = |room: &String| {
            let room = room.clone();
            async move { Ok((room.clone(), sfu.participants(&room).await?)) }
        };
        let asked: Vec<_> = asked.map(ask).collect();
        let answers: Vec<Result<_, SfuError>> = stream::iter(asked)
            .buffer_unordered(ROOMS_AT_ONCE)
            .collect()
            .await;
        let participants: Result<_, SfuError> = answers.into_iter().collect();
        Ok(Roster {
            open,
            participants: participants?,
        })
    }

    /// A room with people in it does not vanish before they have left it: the SFU was restarted. Who comes back must find it.
    async fn reopen_lost(&self, sfu: &Sfu, populated: Option<&BTreeSet<String>>, roster: &Roster) {
        let lost = populated
            .into_iter()
            .flatten()
            .filter(|room| !roster.open.contains(*room));
        for room in lost {
            if let Err(error) = self.reopen(sfu, room).await {
                tracing::warn!(%error, "a call that the SFU has lost could not be opened again");
            }
        }
    }

    /// Puts out who may not be there, corrects what others may do, and tells departures who is missing.
    async fn compare(&self, sfu: &Sfu, grants: &[&Grant], roster: &Roster) -> Result<(), CallError> {
        let now = self.now();
        let lifetime = milliseconds(TOKEN_LIFETIME);
        let mut change = Change::new();
        let mut is_changed = false;
        let mut there: HashSet<&Seat> = HashSet::new();
        for grant in grants {
            let Some(participant) = roster.find(&grant.seat) else {
                continue;
            };
            there.insert(&grant.seat);
            self.fit(
                sfu,
                &grant.seat,
                participant,
                (&grant.permission, grant.is_revoked),
            )
            .await?;
            if grant.expires < now.plus_ms(lifetime / 2) {
                // The SFU gives those who are connected new tokens, without asking.
                grants::extend(&mut change, &grant.seat, now.plus_ms(lifetime));
                is_changed = true;
            }
        }
        if is_changed {
            self.database().writer().commit(change).await?;
        }
        let name = &sfu.options().name;
        let missing = self.0.departures.connected().into_iter();
        for seat in missing.filter(|seat| seat.sfu == *name && !there.contains(seat)) {
            self.signal(&seat, Signal::Due).await;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls and people")]
fn gauge(name: &'static str, value: usize) {
    metrics::gauge!(name).set(value as f64);
}
