-- Whether this server must distribute the event to the others in the room.
ALTER TABLE events ADD COLUMN is_ours BIGINT NOT NULL DEFAULT 0;
CREATE INDEX events_ours ON events (position) WHERE is_ours = 1;
