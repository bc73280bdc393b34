-- The deployment's one clock: the position of the last record that was committed. One row, locked by each commit
-- that makes something visible.
CREATE TABLE log_clock (
    one      BIGINT PRIMARY KEY CHECK (one = 1),
    position BIGINT NOT NULL
);
INSERT INTO log_clock (one, position) VALUES (1, 0);

-- The oldest release that may still run on this schema.
CREATE TABLE schema_compatibility (
    one            BIGINT PRIMARY KEY CHECK (one = 1),
    oldest_release TEXT NOT NULL
);
INSERT INTO schema_compatibility (one, oldest_release) VALUES (1, '0.1.0');

-- Integers that nodes give out in blocks: the last one reserved.
CREATE TABLE sequences (
    name     TEXT PRIMARY KEY,
    reserved BIGINT NOT NULL
);

-- The integers that stand for user IDs (local and remote) and room IDs in every other table.
CREATE TABLE user_numbers (
    user_number BIGINT PRIMARY KEY,
    user_id     TEXT NOT NULL UNIQUE
);
CREATE TABLE room_numbers (
    room_number BIGINT PRIMARY KEY,
    room_id     TEXT NOT NULL UNIQUE
);
