-- Access tokens that people make for programs: their own or those of their bots. Each stands for a session, and ends
-- with it. The token itself is stored as SHA-256.
CREATE TABLE access_tokens (
    session_number BIGINT PRIMARY KEY REFERENCES sessions (session_number) ON DELETE CASCADE,
    token_hash     TEXT NOT NULL UNIQUE,
    user_number    BIGINT NOT NULL REFERENCES accounts (user_number),
    name           TEXT NOT NULL,
    -- What the token may do, a JSON list.
    scopes         TEXT NOT NULL,
    -- NULL for tokens that do not end by themselves.
    expires_ts     BIGINT
);
CREATE INDEX access_tokens_of_user ON access_tokens (user_number);

-- Accounts that people have made for programs, and who answers for each.
CREATE TABLE bots (
    user_number  BIGINT PRIMARY KEY REFERENCES accounts (user_number),
    owner_number BIGINT NOT NULL REFERENCES accounts (user_number),
    created_ts   BIGINT NOT NULL
);
CREATE INDEX bots_of_owner ON bots (owner_number);

-- Webhooks: the ways for programs into one room (`incoming`) and out of it (`outgoing`). Each has an account of its own,
-- which is a member of the room.
CREATE TABLE webhooks (
    hook_id        TEXT PRIMARY KEY,
    room_number    BIGINT NOT NULL,
    user_number    BIGINT NOT NULL REFERENCES accounts (user_number),
    direction      TEXT NOT NULL,
    name           TEXT NOT NULL,
    avatar_url     TEXT,
    -- The user ID: it stays what it was, whatever becomes of the account.
    created_by     TEXT NOT NULL,
    created_ts     BIGINT NOT NULL,
    -- Of the secret in an incoming hook's address, SHA-256.
    secret_hash    TEXT,
    -- The key of signatures, in plain: each signature is computed with it.
    signing_key    TEXT,
    -- What else is set, a JSON object: see the structs in `homeserver/webhooks/src/hook.rs`.
    settings       TEXT NOT NULL,
    -- Since when it is off, and why; by whom or by itself.
    disabled_ts    BIGINT,
    disabled_why   TEXT,
    -- Of outgoing hooks: everything up to this place in the log was delivered, or is not to be.
    position       BIGINT NOT NULL,
    -- Since when deliveries fail, and what the last one met.
    failing_ts     BIGINT,
    failure        TEXT
);
CREATE INDEX webhooks_of_room ON webhooks (room_number);

-- Signatures that were used, by SHA-256, as long as they would be good: none is good twice.
CREATE TABLE webhook_signatures (
    signature_hash TEXT PRIMARY KEY,
    expires_ts     BIGINT NOT NULL
);
CREATE INDEX webhook_signatures_by_expiry ON webhook_signatures (expires_ts);
