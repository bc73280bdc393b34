-- Events that clients have asked to be sent later (MSC4140): those that wait, and for a while those that wait no longer.
CREATE TABLE delayed_events (
    delay_id           TEXT PRIMARY KEY,
    -- In the order in which they were asked for.
    delayed_number     BIGINT NOT NULL,
    user_number        BIGINT NOT NULL,
    device_id          TEXT NOT NULL,
    -- Who asks twice in one session with the same transaction ID (NULL for state) gets the same answer.
    session_number     BIGINT NOT NULL,
    transaction_id     TEXT,
    -- The ID itself: whether there is such a room is found out when the event is sent.
    room_id            TEXT NOT NULL,
    event_type         TEXT NOT NULL,
    state_key          TEXT,
    content            TEXT NOT NULL,
    -- For how long the event will be sticky (MSC4354); NULL for events that are not.
    sticky_duration_ms BIGINT,
    delay_ms           BIGINT NOT NULL,
    -- When it was asked for or restarted; with `delay_ms` that is when it was promised to be sent.
    scheduled_ts       BIGINT NOT NULL,
    -- When the server will send it: as promised, or somewhat later if that was put off.
    due_ts             BIGINT NOT NULL,
    -- The end of the log when it was asked for: state that somebody else has set since then stands.
    position           BIGINT NOT NULL,
    -- NULL as long as it waits; otherwise when it was sent (`event_id`), failed (`error`, as a JSON object that clients
    -- understand), or was cancelled (neither).
    finalised_ts       BIGINT,
    event_id           TEXT,
    error              TEXT
);
CREATE INDEX delayed_events_due ON delayed_events (due_ts, delayed_number) WHERE finalised_ts IS NULL;
CREATE INDEX delayed_events_waiting ON delayed_events (user_number) WHERE finalised_ts IS NULL;
CREATE INDEX delayed_events_of_state ON delayed_events (room_id, event_type, state_key)
    WHERE finalised_ts IS NULL AND state_key IS NOT NULL;
CREATE INDEX delayed_events_finalised ON delayed_events (user_number, finalised_ts) WHERE finalised_ts IS NOT NULL;
CREATE INDEX delayed_events_by_end ON delayed_events (finalised_ts) WHERE finalised_ts IS NOT NULL;
CREATE INDEX delayed_events_of_session ON delayed_events (session_number, transaction_id)
    WHERE transaction_id IS NOT NULL;

-- The delayed event that an event was before it was sent: its sender's clients are told.
ALTER TABLE events ADD COLUMN delay_id TEXT;
