-- Servers that could not be reached of late, and when each is asked again.
CREATE TABLE federation_destinations (
    server_name TEXT COLLATE "C" PRIMARY KEY,
    -- In a row; 0 for a server that answers again.
    failures BIGINT NOT NULL,
    failing_since_ts BIGINT NOT NULL,
    next_attempt_ts BIGINT NOT NULL
);
CREATE INDEX federation_destinations_by_attempt ON federation_destinations (next_attempt_ts);

-- Public signing keys of other servers. They stay when a server does not name them any more, for old events.
CREATE TABLE server_keys (
    server_name TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    -- Unpadded base64.
    public_key TEXT COLLATE "C" NOT NULL,
    -- What is signed later is not believed.
    valid_until_ts BIGINT NOT NULL,
    -- Signs events no more, and requests neither.
    is_old BIGINT NOT NULL,
    PRIMARY KEY (server_name, key_id)
);

-- The latest answer of each of them, as signed by it: what a notary hands on.
CREATE TABLE server_key_answers (
    server_name TEXT COLLATE "C" PRIMARY KEY,
    answer TEXT COLLATE "C" NOT NULL,
    fetched_ts BIGINT NOT NULL,
    valid_until_ts BIGINT NOT NULL
);
CREATE INDEX server_key_answers_by_fetch ON server_key_answers (fetched_ts);
