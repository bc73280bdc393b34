-- Clients of the OAuth 2.0 API. Public clients with the same metadata share a row; who is not used is forgotten.
CREATE TABLE oauth_clients (
    client_id   TEXT COLLATE "C" PRIMARY KEY,
    -- What was registered, as JSON.
    metadata    TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of the client's secret; NULL for public clients, which have none.
    secret_hash TEXT COLLATE "C",
    created_ts  BIGINT NOT NULL,
    -- When somebody last let the client in; NULL if nobody ever has.
    used_ts     BIGINT
);
CREATE INDEX oauth_clients_by_use ON oauth_clients (COALESCE(used_ts, created_ts));

-- The client that a session was opened for; NULL for the sessions of `/login` and `/register`.
ALTER TABLE sessions ADD COLUMN client_id TEXT COLLATE "C";
CREATE INDEX sessions_of_client ON sessions (client_id) WHERE client_id IS NOT NULL;

-- Authorisation codes, by SHA-256. A redeemed one is kept for a while, so that its second use ends its session.
CREATE TABLE oauth_codes (
    code_hash      TEXT COLLATE "C" PRIMARY KEY,
    client_id      TEXT COLLATE "C" NOT NULL,
    user_number    BIGINT NOT NULL,
    redirect_uri   TEXT COLLATE "C" NOT NULL,
    device_id      TEXT COLLATE "C" NOT NULL,
    scope          TEXT COLLATE "C" NOT NULL,
    code_challenge TEXT COLLATE "C" NOT NULL,
    expires_ts     BIGINT NOT NULL,
    -- The session that it was redeemed for.
    session_number BIGINT
);
CREATE INDEX oauth_codes_by_expiry ON oauth_codes (expires_ts);

-- Devices without a browser that wait for a person to let them in (RFC 8628), by SHA-256 of their code.
CREATE TABLE oauth_device_codes (
    code_hash   TEXT COLLATE "C" PRIMARY KEY,
    -- What the person types: capital letters without hyphens.
    user_code   TEXT COLLATE "C" NOT NULL UNIQUE,
    client_id   TEXT COLLATE "C" NOT NULL,
    device_id   TEXT COLLATE "C" NOT NULL,
    scope       TEXT COLLATE "C" NOT NULL,
    expires_ts  BIGINT NOT NULL,
    -- How long the device has to wait between two questions, and when it asked last.
    interval_ms BIGINT NOT NULL,
    asked_ts    BIGINT,
    -- 0 nobody has decided, 1 allowed, 2 denied.
    decision    BIGINT NOT NULL DEFAULT 0,
    user_number BIGINT
);
CREATE INDEX oauth_device_codes_by_expiry ON oauth_device_codes (expires_ts);

-- People who are signed in on the server's own pages, by SHA-256 of their cookie.
CREATE TABLE browser_sessions (
    secret_hash TEXT COLLATE "C" PRIMARY KEY,
    user_number BIGINT NOT NULL,
    -- When they last proved who they are.
    proved_ts   BIGINT NOT NULL,
    expires_ts  BIGINT NOT NULL
);
CREATE INDEX browser_sessions_by_expiry ON browser_sessions (expires_ts);
CREATE INDEX browser_sessions_of_user ON browser_sessions (user_number);

-- Sign-ins under way at an OpenID Connect provider, by SHA-256 of their `state`.
CREATE TABLE upstream_logins (
    state_hash    TEXT COLLATE "C" PRIMARY KEY,
    -- SHA-256 of the browser's cookie: no other browser may finish it.
    browser_hash  TEXT COLLATE "C" NOT NULL,
    issuer        TEXT COLLATE "C" NOT NULL,
    nonce         TEXT COLLATE "C" NOT NULL,
    code_verifier TEXT COLLATE "C" NOT NULL,
    continue_to   TEXT COLLATE "C" NOT NULL,
    expires_ts    BIGINT NOT NULL
);
CREATE INDEX upstream_logins_by_expiry ON upstream_logins (expires_ts);

-- Who has confirmed on the server's pages that their cross-signing keys may be replaced, and until when.
CREATE TABLE cross_signing_resets (
    user_number BIGINT PRIMARY KEY,
    expires_ts  BIGINT NOT NULL
);
