-- SQLite has `json_each`; the same name here lets one SQL text take a list of rows in both databases
-- (`FROM json_each($1)`, then `value ->> 0`).
CREATE FUNCTION json_each(list text) RETURNS TABLE (value json)
    LANGUAGE sql IMMUTABLE ROWS 50
    AS $$ SELECT element FROM json_array_elements(list::json) AS elements (element) $$;

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
    oldest_release TEXT COLLATE "C" NOT NULL
);
INSERT INTO schema_compatibility (one, oldest_release) VALUES (1, '0.1.0');

-- Integers that nodes give out in blocks: the last one reserved.
CREATE TABLE sequences (
    name     TEXT COLLATE "C" PRIMARY KEY,
    reserved BIGINT NOT NULL
);

-- The integers that stand for user IDs (local and remote) and room IDs in every other table.
CREATE TABLE user_numbers (
    user_number BIGINT PRIMARY KEY,
    user_id     TEXT COLLATE "C" NOT NULL UNIQUE
);
CREATE TABLE room_numbers (
    room_number BIGINT PRIMARY KEY,
    room_id     TEXT COLLATE "C" NOT NULL UNIQUE
);
