-- What an event's `auth_events` are, as a JSON list of event numbers; NULL for events that were stored before this column.
ALTER TABLE events ADD COLUMN auth_numbers TEXT;
-- The room's state once the event was in, where that is not `snapshot_number`: the room's history had other ends then.
ALTER TABLE events ADD COLUMN room_snapshot_number BIGINT;
-- Whether this server tells others of the event: it was made here, or by way of us.
ALTER TABLE events ADD COLUMN is_ours BIGINT NOT NULL DEFAULT 0;
CREATE INDEX events_ours ON events (position, room_number) WHERE is_ours = 1;

-- How this server stands to a room: 0 in it, with all of its state; 1 in it, with members still missing from the state;
-- 2 outside, with only an invite or a knock.
ALTER TABLE rooms ADD COLUMN standing BIGINT NOT NULL DEFAULT 0;

-- What those who are invited to a room, or knock at it, are shown of it while this server is outside: a JSON list.
CREATE TABLE stripped_states (
    room_number BIGINT NOT NULL,
    user_number BIGINT NOT NULL,
    events      TEXT NOT NULL,
    PRIMARY KEY (room_number, user_number)
);

-- Redactions that came before what they redact.
CREATE TABLE pending_redactions (
    redacts          TEXT NOT NULL,
    redaction_number BIGINT NOT NULL,
    room_number      BIGINT NOT NULL,
    PRIMARY KEY (redacts, redaction_number)
);

-- Events of other servers that are acknowledged and not yet worked off. `staging_number` is their order.
CREATE TABLE staged_events (
    staging_number BIGINT PRIMARY KEY,
    room_id        TEXT NOT NULL,
    origin         TEXT NOT NULL,
    json           TEXT NOT NULL,
    received_ts    BIGINT NOT NULL
);
CREATE INDEX staged_events_of_room ON staged_events (room_id, staging_number);

-- Joins whose room state is still without its members, and who can give the rest.
CREATE TABLE partial_joins (
    room_number  BIGINT PRIMARY KEY,
    join_number  BIGINT NOT NULL,
    resident     TEXT NOT NULL,
    servers      TEXT NOT NULL
);
