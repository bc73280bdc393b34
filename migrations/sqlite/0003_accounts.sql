-- The people of this server. A row is never deleted: a deactivated name is not given out again.
CREATE TABLE accounts (
    user_number    BIGINT PRIMARY KEY REFERENCES user_numbers (user_number),
    localpart      TEXT NOT NULL UNIQUE,
    -- argon2id in PHC form; NULL for accounts that only a directory can vouch for.
    password_hash  TEXT,
    -- The password provider that owns the account, and what it knows the person by for ever; NULL for local accounts.
    provider       TEXT,
    external_id    TEXT,
    mail           TEXT,
    is_admin       BIGINT NOT NULL DEFAULT 0,
    is_locked      BIGINT NOT NULL DEFAULT 0,
    is_suspended   BIGINT NOT NULL DEFAULT 0,
    created_ts     BIGINT NOT NULL,
    deactivated_ts BIGINT,
    -- What is still to be done after a deactivation: 0 nothing, 1 leave all rooms, 2 also ask for erasure.
    farewell       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX accounts_by_farewell ON accounts (user_number) WHERE farewell > 0;
CREATE UNIQUE INDEX accounts_by_external_id ON accounts (provider, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX accounts_by_mail ON accounts (mail) WHERE mail IS NOT NULL;
-- What is kept in memory from the start: who is an administrator, locked or suspended. Few rows.
CREATE INDEX accounts_marked ON accounts (user_number) WHERE is_admin = 1 OR is_locked = 1 OR is_suspended = 1;

-- Profile fields of local users, each as the JSON value that the client gave (`displayname`, `avatar_url`, `m.tz`, …).
CREATE TABLE profile_fields (
    user_number BIGINT NOT NULL REFERENCES accounts (user_number),
    field       TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (user_number, field)
);

-- Devices of local users. A device outlives its sessions until it is logged out or deleted.
CREATE TABLE devices (
    user_number  BIGINT NOT NULL REFERENCES accounts (user_number),
    device_id    TEXT NOT NULL,
    display_name TEXT,
    created_ts   BIGINT NOT NULL,
    last_seen_ts BIGINT,
    last_seen_ip TEXT,
    PRIMARY KEY (user_number, device_id)
);

-- What lives from log-in to log-out. Access tokens name their session; refresh tokens are found here by hash.
CREATE TABLE sessions (
    session_number   BIGINT PRIMARY KEY,
    user_number      BIGINT NOT NULL,
    device_id        TEXT NOT NULL,
    created_ts       BIGINT NOT NULL,
    -- When the session ends by itself: for good without refresh tokens, unless refreshed with them.
    expires_ts       BIGINT NOT NULL,
    revoked_ts       BIGINT,
    -- Whether the client may log in again and keep its device.
    is_soft_revoked  BIGINT NOT NULL DEFAULT 0,
    -- SHA-256 of what all refresh tokens of the session share, and of the parts that count at present: the token
    -- given out last, another one given out for the same predecessor when the first answer was lost, and that
    -- predecessor until a successor is used.
    refresh_family   TEXT UNIQUE,
    refresh_current  TEXT,
    refresh_sibling  TEXT,
    refresh_previous TEXT,
    -- How often the session was refreshed; access tokens carry it.
    generation       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sessions_of_device ON sessions (user_number, device_id) WHERE revoked_ts IS NULL;
CREATE INDEX sessions_by_revocation ON sessions (revoked_ts) WHERE revoked_ts IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_ts);

-- Secrets that are used once or for a short while, by SHA-256: log-in tokens, OpenID tokens, the first
-- administrator's registration token.
CREATE TABLE short_tokens (
    token_hash  TEXT PRIMARY KEY,
    purpose     TEXT NOT NULL,
    user_number BIGINT,
    expires_ts  BIGINT NOT NULL
);
CREATE INDEX short_tokens_by_expiry ON short_tokens (expires_ts);

-- Sync and message filters, named by their hash so that the same filter is stored once.
CREATE TABLE filters (
    user_number BIGINT NOT NULL,
    filter_id   TEXT NOT NULL,
    definition  TEXT NOT NULL,
    saved_ts    BIGINT NOT NULL,
    PRIMARY KEY (user_number, filter_id)
);

-- Account data of local users, and where in the log it became visible.
CREATE TABLE account_data (
    user_number BIGINT NOT NULL,
    data_type   TEXT NOT NULL,
    content     TEXT NOT NULL,
    position    BIGINT NOT NULL,
    PRIMARY KEY (user_number, data_type)
);

-- Account data of local users for one room, tags and the fully-read marker included.
CREATE TABLE room_account_data (
    user_number BIGINT NOT NULL,
    room_number BIGINT NOT NULL,
    data_type   TEXT NOT NULL,
    content     TEXT NOT NULL,
    position    BIGINT NOT NULL,
    PRIMARY KEY (user_number, room_number, data_type)
);
