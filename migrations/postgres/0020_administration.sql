-- What administrators have done, in the order in which they did it. Rows are neither changed nor removed.
CREATE TABLE audit_log (
    audit_number  BIGINT PRIMARY KEY,
    at_ts         BIGINT NOT NULL,
    -- The user ID: it stays what it was, whatever becomes of the account.
    administrator TEXT COLLATE "C" NOT NULL,
    action        TEXT COLLATE "C" NOT NULL,
    -- What it was done to: a user ID, a room ID, a server, the address of a file.
    target        TEXT COLLATE "C" NOT NULL,
    reason        TEXT COLLATE "C",
    -- What else there is to know, a JSON object.
    details       TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_log_of_administrator ON audit_log (administrator, audit_number);
CREATE INDEX audit_log_of_action ON audit_log (action, audit_number);
CREATE INDEX audit_log_of_target ON audit_log (target, audit_number);

-- Rooms that nobody of this server may enter or be invited to, whether they are known here or not.
CREATE TABLE blocked_rooms (
    room_id    TEXT COLLATE "C" PRIMARY KEY,
    blocked_ts BIGINT NOT NULL
);

-- What a room's settings were and are, newest last: where lists of rooms find their names.
CREATE INDEX events_of_settings ON events (room_number, event_type, position)
    WHERE state_key = '' AND position IS NOT NULL;

-- When a report was settled, by whom (the user ID), and what they noted.
ALTER TABLE reports ADD COLUMN resolved_ts BIGINT;
ALTER TABLE reports ADD COLUMN resolved_by TEXT COLLATE "C";
ALTER TABLE reports ADD COLUMN note TEXT COLLATE "C";

-- Files that nobody is given any more, though they are kept as evidence. They may be of any server, fetched or not.
CREATE TABLE quarantined_media (
    server_name    TEXT COLLATE "C" NOT NULL,
    media_id       TEXT COLLATE "C" NOT NULL,
    quarantined_ts BIGINT NOT NULL,
    PRIMARY KEY (server_name, media_id)
);
CREATE INDEX media_of_user ON media (user_number, media_id) WHERE content_hash IS NOT NULL;
