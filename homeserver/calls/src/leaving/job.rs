//! What becomes of a departure that a client has left to this server: a pure state machine.
//!
//! ```text
//! waiting ── somebody is there ──► connected: the event is restarted, and again before it would go out
//! waiting ── never connected, or nobody came in time ──► over: the event goes out when its own time comes
//! connected ── gone, and the SFU says so when asked ──► leaving: the event is sent, again and again until it is
//! any ── the event is sent, cancelled or unknown ──► over
//! ```

use echorift_rooms::DelayId;
use echorift_storage::Timestamp;

use super::DelayedLeave;

/// How often the SFU is asked whether somebody has come: at first, and at most.
const FIRST_LOOK_MS: i64 = 1_000;
const LAST_LOOK_MS: i64 = 60_000;
/// Nobody is waited for longer, however long the event is delayed.
const WAIT_MAX_MS: i64 = 60 * 60 * 1_000;
/// When to try again what failed.
const RETRY_MS: i64 = 2_000;
/// How long what is being done may take before it is begun anew.
const DOING_MS: i64 = 15_000;

/// One departure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub delay_id: DelayId,
    delay_ms: i64,
    phase: Phase,
    /// When something is to be done if nothing happens before.
    pub due: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Waiting {
        until: Timestamp,
        look_ms: i64,
    },
    Connected {
        sid: String,
        since: Timestamp,
        restart_at: Timestamp,
    },
    Leaving,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Time went by.
    Due,
    /// The SFU tells that somebody came, as `sid`.
    Joined {
        sid: String,
    },
    /// The SFU tells that `sid` went, or never came through. `is_replaced` if they went because they came anew.
    Left {
        sid: String,
        is_replaced: bool,
    },
    Aborted {
        sid: String,
    },
    /// The SFU was asked: they are there, or not.
    Present {
        sid: String,
    },
    Absent,
    /// The event was put off again.
    Restarted,
    /// The SFU or the database could not be asked.
    Failed,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    /// Ask the SFU who is there.
    Look,
    /// Put the event off.
    Restart,
    /// Send the event.
    Send,
    /// Forget the job.
    Forget,
}

impl Job {
    pub fn new(leave: DelayedLeave, now: Timestamp) -> Self {
        let DelayedLeave { delay_id, delay_ms } = leave;
        Self {
            delay_id,
            delay_ms,
            phase: Phase::Waiting {
                until: now.plus_ms(delay_ms.min(WAIT_MAX_MS)),
                look_ms: FIRST_LOOK_MS,
            },
            due: now,
        }
    }

    /// Takes a signal, and says what it asks for.
    pub fn on(&mut self, signal: &Signal, now: Timestamp) -> Action {
        let action = self.decide(signal, now);
        if matches!(action, Action::Look | Action::Restart | Action::Send) {
            self.due = now.plus_ms(DOING_MS);
        }
        action
    }

    fn decide(&mut self, signal: &Signal, now: Timestamp) -> Action {
        match (&mut self.phase, signal) {
            (_, Signal::Failed) => {
                self.due = now.plus_ms(RETRY_MS);
                Action::Nothing
            }
            (Phase::Leaving, Signal::Joined { .. } | Signal::Present { .. }) => {
                // They were back before the event was sent.
                self.connect(signal, now, now);
                Action::Restart
            }
            (Phase::Leaving, _) => Action::Send,
            (Phase::Waiting { .. }, Signal::Joined { .. } | Signal::Present { .. })
            | (Phase::Connected { .. }, Signal::Joined { .. }) => {
                self.connect(signal, now, now);
                Action::Restart
            }
            (Phase::Waiting { .. }, Signal::Aborted { .. }) => Action::Forget,
            (
                Phase::Waiting { .. },
                Signal::Left {
                    sid,
                    is_replaced: false,
                },
            ) => {
                // They had come before the departure was left to this server.
                let sid = sid.clone();
                self.phase = Phase::Connected {
                    sid,
                    since: now,
                    restart_at: now,
                };
                Action::Look
            }
            (Phase::Waiting { until, look_ms }, Signal::Absent) => {
                if now >= *until {
                    self.phase = Phase::Leaving;
                    return Action::Send;
                }
                self.due = now.plus_ms(*look_ms).min(*until);
                *look_ms = look_ms.saturating_mul(3).div_euclid(2).min(LAST_LOOK_MS);
                Action::Nothing
            }
            // Before it is put off again: who is gone without a word must not be kept alive here.
            (Phase::Waiting { .. } | Phase::Connected { .. }, Signal::Due) => Action::Look,
            (
                Phase::Connected { sid, .. },
                Signal::Left {
                    sid: gone,
                    is_replaced: false,
                }
                | Signal::Aborted { sid: gone },
            ) if sid == gone => Action::Look,
            (Phase::Connected { restart_at, .. }, Signal::Present { .. }) => {
                let restart_at = *restart_at;
                self.connect(signal, now, restart_at);
                self.due = restart_at;
                if now >= restart_at {
                    Action::Restart
                } else {
                    Action::Nothing
                }
            }
            (Phase::Connected { .. }, Signal::Absent) => {
                self.phase = Phase::Leaving;
                Action::Send
            }
            (Phase::Connected { restart_at, .. }, Signal::Restarted) => {
                *restart_at = now.plus_ms(self.delay_ms.saturating_mul(4).div_euclid(5));
                self.due = *restart_at;
                Action::Nothing
            }
            // What an earlier connection of theirs does.
            (
                Phase::Waiting { .. } | Phase::Connected { .. },
                Signal::Left { .. } | Signal::Aborted { .. } | Signal::Restarted,
            ) => Action::Nothing,
        }
    }

    pub fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected { .. })
    }

    /// Since when they have been there, as far as is known.
    pub fn connected_since(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Connected { since, .. } => Some(since),
            Phase::Waiting { .. } | Phase::Leaving => None,
        }
    }

    fn connect(&mut self, signal: &Signal, now: Timestamp, restart_at: Timestamp) {
        if let Signal::Joined { sid } | Signal::Present { sid } = signal {
            let sid = sid.clone();
            let since = match &self.phase {
                Phase::Connected {
                    sid: known, since, ..
                } if *known == sid => *since,
                _ => now,
            };
            self.phase = Phase::Connected {
                sid,
                since,
                restart_at,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn job() -> Job {
        let leave = DelayedLeave {
            delay_id: DelayId::from("delay".to_owned()),
            delay_ms: HOUR_MS,
        };
        Job::new(leave, Timestamp(0))
    }

    fn joined(sid: &str) -> Signal {
        Signal::Joined { sid: sid.to_owned() }
    }

    fn present(sid: &str) -> Signal {
        Signal::Present { sid: sid.to_owned() }
    }

    fn left(sid: &str) -> Signal {
        Signal::Left {
            sid: sid.to_owned(),
            is_replaced: false,
        }
    }

    /// Runs signals at the times given, and answers with the actions.
    fn run(job: &mut Job, signals: &[(i64, Signal)]) -> Vec<Action> {
        let on = |(time, signal): &(i64, Signal)| job.on(signal, Timestamp(*time));
        signals.iter().map(on).collect()
    }

    #[test]
    fn who_joins_and_leaves_is_gone_at_once() {
        let signals = [
            (10, joined("one")),
            (10, Signal::Restarted),
            (99, left("one")),
            (99, Signal::Absent),
        ];
        let actions = run(&mut job(), &signals);
        assert_eq!(
            actions,
            [Action::Restart, Action::Nothing, Action::Look, Action::Send]
        );
    }

    #[test]
    fn who_was_there_before_is_gone_at_once_as_well() {
        let actions = run(&mut job(), &[(10, left("one")), (11, Signal::Absent)]);
        assert_eq!(actions, [Action::Look, Action::Send]);
    }

    #[test]
    fn a_late_word_of_an_earlier_connection_ends_nothing() {
        let signals = [(10, joined("one")), (20, joined("two")), (21, left("one"))];
        assert_eq!(
            run(&mut job(), &signals),
            [Action::Restart, Action::Restart, Action::Nothing]
        );
        // Also where the word of the new connection was lost.
        let signals = [
            (10, joined("one")),
            (10, Signal::Restarted),
            (21, left("one")),
            (21, present("two")),
            (22, left("one")),
        ];
        let actions = [
            Action::Restart,
            Action::Nothing,
            Action::Look,
            Action::Nothing,
            Action::Nothing,
        ];
        assert_eq!(run(&mut job(), &signals), actions);
    }

    #[test]
    fn who_is_replaced_by_a_connection_of_their_own_stays() {
        let mut job = job();
        job.on(&joined("one"), Timestamp(0));
        let left = Signal::Left {
            sid: "one".to_owned(),
            is_replaced: true,
        };
        assert_eq!(job.on(&left, Timestamp(1)), Action::Nothing);
        assert!(job.is_connected());
    }

    #[test]
    fn the_event_is_put_off_before_its_time_if_they_are_still_there() {
        let mut job = job();
        run(&mut job, &[(0, joined("one")), (0, Signal::Restarted)]);
        assert_eq!(job.due, Timestamp(HOUR_MS / 5 * 4));
        let time = job.due.0;
        let actions = run(
            &mut job,
            &[
                (time, Signal::Due),
                (time, present("one")),
                (time, Signal::Restarted),
            ],
        );
        assert_eq!(actions, [Action::Look, Action::Restart, Action::Nothing]);
        assert_eq!(job.due, Timestamp(HOUR_MS / 5 * 8));
    }

    #[test]
    fn who_never_comes_is_waited_for_as_long_as_the_event_is_delayed() {
        let mut job = job();
        let mut looks = 0;
        while job.due < Timestamp(HOUR_MS) {
            let now = job.due;
            assert_eq!(job.on(&Signal::Due, now), Action::Look);
            assert_eq!(job.on(&Signal::Absent, now), Action::Nothing);
            assert!(job.due > now && job.due <= now.plus_ms(LAST_LOOK_MS));
            looks += 1;
        }
        assert!(looks < 100, "{looks}");
        assert_eq!(job.on(&Signal::Due, Timestamp(HOUR_MS)), Action::Look);
        assert_eq!(job.on(&Signal::Absent, Timestamp(HOUR_MS)), Action::Send);
    }

    #[test]
    fn who_does_not_get_through_is_left_to_the_events_own_time() {
        let aborted = Signal::Aborted {
            sid: "one".to_owned(),
        };
        assert_eq!(job().on(&aborted, Timestamp(1)), Action::Forget);
    }

    #[test]
    fn a_departure_is_tried_until_it_is_done_unless_they_come_back() {
        let mut job = job();
        run(&mut job, &[(0, joined("one")), (1, Signal::Absent)]);
        assert_eq!(job.on(&Signal::Failed, Timestamp(1)), Action::Nothing);
        assert_eq!(job.due, Timestamp(1 + RETRY_MS));
        assert_eq!(job.on(&Signal::Due, Timestamp(1 + RETRY_MS)), Action::Send);
        assert_eq!(job.on(&joined("two"), Timestamp(5_000)), Action::Restart);
        assert!(job.is_connected());
    }
}
