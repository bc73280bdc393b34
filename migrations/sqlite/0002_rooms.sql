-- Rooms that this server holds.
CREATE TABLE rooms (
    room_number  BIGINT PRIMARY KEY,
    room_version TEXT NOT NULL,
    created_ts   BIGINT NOT NULL,
    -- Whether the room is listed in this server's room directory.
    is_published BIGINT NOT NULL
);
CREATE INDEX rooms_published ON rooms (room_number) WHERE is_published = 1;

-- What the next event of a room builds upon. `extremities` is a JSON list of event numbers.
CREATE TABLE room_heads (
    room_number     BIGINT PRIMARY KEY,
    extremities     TEXT NOT NULL,
    depth           BIGINT NOT NULL,
    snapshot_number BIGINT NOT NULL
);

-- Every event that this server keeps, as canonical JSON. `position` is its place in the log and in its room's
-- timeline; negative for events from before our time, NULL for those outside the timeline (outliers, rejected and
-- soft-failed events). `snapshot_number` is the room state after the event. `session_number` and `transaction_id` say
-- which request made the event, so that it is made once and its sender recognises it. `relates_to` and `rel_type` are
-- the event's `m.relates_to`. `replaces_number` is the state event that stood in the place of this one before it. `redacted_by` is the redaction's event number; `json` is then the redacted form.
CREATE TABLE events (
    event_number     BIGINT PRIMARY KEY,
    event_id         TEXT NOT NULL UNIQUE,
    room_number      BIGINT NOT NULL,
    sender_number    BIGINT NOT NULL,
    event_type       TEXT NOT NULL,
    state_key        TEXT,
    depth            BIGINT NOT NULL,
    origin_server_ts BIGINT NOT NULL,
    snapshot_number  BIGINT NOT NULL,
    outcome          BIGINT NOT NULL,
    session_number   BIGINT,
    transaction_id   TEXT,
    relates_to       TEXT,
    rel_type         TEXT,
    replaces_number  BIGINT,
    redacted_by      BIGINT,
    json             TEXT NOT NULL,
    position         BIGINT
);
CREATE INDEX events_timeline ON events (room_number, position);
CREATE INDEX events_by_time ON events (room_number, origin_server_ts, position);
CREATE INDEX events_by_session ON events (session_number, position) WHERE session_number IS NOT NULL;
CREATE INDEX events_by_relation ON events (relates_to, room_number, position, rel_type, sender_number)
    WHERE relates_to IS NOT NULL;
CREATE INDEX events_of_threads ON events (room_number, rel_type, position) WHERE rel_type IS NOT NULL;
CREATE INDEX events_of_visibility ON events (room_number) WHERE event_type = 'm.room.history_visibility';

-- Room states. A state is its parent's with the events numbered in `added` (a JSON list; each replaces the one of its
-- type and state key) and without the keys of those in `removed`; without a parent `added` is the whole state.
CREATE TABLE state_snapshots (
    snapshot_number BIGINT PRIMARY KEY,
    room_number     BIGINT NOT NULL,
    parent_number   BIGINT,
    chain_length    BIGINT NOT NULL,
    added           TEXT NOT NULL,
    removed         TEXT NOT NULL
);

-- Each user's latest membership in each room. `position` is that of the membership event; `is_forgotten` hides a room
-- that was left from the user's syncs and reads.
CREATE TABLE memberships (
    room_number   BIGINT NOT NULL,
    user_number   BIGINT NOT NULL,
    membership    TEXT NOT NULL,
    event_number  BIGINT NOT NULL,
    is_forgotten  BIGINT NOT NULL,
    position      BIGINT NOT NULL,
    PRIMARY KEY (room_number, user_number)
);
CREATE INDEX memberships_of_user ON memberships (user_number, membership);

-- Room aliases of this server.
CREATE TABLE room_aliases (
    alias          TEXT PRIMARY KEY,
    room_number    BIGINT NOT NULL,
    creator_number BIGINT NOT NULL
);
CREATE INDEX room_aliases_of_room ON room_aliases (room_number);

-- The latest receipt of each user, kind and thread in each room. `thread_id` is empty for unthreaded receipts.
CREATE TABLE receipts (
    room_number   BIGINT NOT NULL,
    user_number   BIGINT NOT NULL,
    receipt_type  TEXT NOT NULL,
    thread_id     TEXT NOT NULL,
    event_id      TEXT NOT NULL,
    -- The place of that event in the timeline; 0 if it is not known here.
    read_position BIGINT NOT NULL,
    ts            BIGINT NOT NULL,
    position      BIGINT NOT NULL,
    PRIMARY KEY (room_number, user_number, receipt_type, thread_id)
);
CREATE INDEX receipts_of_user ON receipts (user_number, room_number);

-- What users reported to the administrators: an event, a room or a user.
CREATE TABLE reports (
    report_number   BIGINT PRIMARY KEY,
    reporter_number BIGINT NOT NULL,
    room_number     BIGINT,
    event_id        TEXT,
    reported_user   TEXT,
    reason          TEXT NOT NULL,
    score           BIGINT,
    ts              BIGINT NOT NULL
);
