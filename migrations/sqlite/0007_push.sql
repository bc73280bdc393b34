-- E-mail addresses that people have confirmed and added to their accounts. What the directory says stands in
-- `accounts.mail`. An address belongs to one account.
CREATE TABLE account_emails (
    address      TEXT PRIMARY KEY,
    user_number  BIGINT NOT NULL REFERENCES accounts (user_number),
    validated_ts BIGINT NOT NULL,
    added_ts     BIGINT NOT NULL
);
CREATE INDEX account_emails_of_user ON account_emails (user_number);

-- Attempts to show that an address is one's own. The client knows the secret, the letter holds the token; both are
-- stored as SHA-256. `letters` counts what was sent, so that nobody's mailbox can be filled.
CREATE TABLE email_validations (
    sid          TEXT PRIMARY KEY,
    secret_hash  TEXT NOT NULL,
    purpose      TEXT NOT NULL,
    address      TEXT NOT NULL,
    send_attempt BIGINT NOT NULL,
    letters      BIGINT NOT NULL,
    token_hash   TEXT NOT NULL,
    expires_ts   BIGINT NOT NULL,
    validated_ts BIGINT
);
CREATE UNIQUE INDEX email_validations_of_client ON email_validations (secret_hash, purpose, address);
CREATE INDEX email_validations_of_address ON email_validations (address);
CREATE INDEX email_validations_by_expiry ON email_validations (expires_ts);

-- Where people want to hear of what concerns them. A pusher of kind `http` ends with the device that made it; one of
-- kind `email` has no device.
CREATE TABLE pushers (
    user_number         BIGINT NOT NULL REFERENCES accounts (user_number),
    app_id              TEXT NOT NULL,
    pushkey             TEXT NOT NULL,
    kind                TEXT NOT NULL,
    device_id           TEXT,
    app_display_name    TEXT NOT NULL,
    device_display_name TEXT NOT NULL,
    profile_tag         TEXT,
    lang                TEXT NOT NULL,
    -- What the client gave as `data`, a JSON object.
    data                TEXT NOT NULL,
    is_enabled          BIGINT NOT NULL,
    set_ts              BIGINT NOT NULL,
    -- Everything up to this place in the log was delivered, or is not to be.
    delivered_position  BIGINT NOT NULL,
    -- For e-mail: when the next letter is due, if anything is unread; when the last was sent; how long to pause then.
    due_ts              BIGINT,
    mailed_ts           BIGINT,
    pause_ms            BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_number, app_id, pushkey),
    FOREIGN KEY (user_number, device_id) REFERENCES devices (user_number, device_id) ON DELETE CASCADE
);
CREATE INDEX pushers_by_key ON pushers (app_id, pushkey);
CREATE INDEX pushers_of_device ON pushers (user_number, device_id);

-- Up to where the log was read for pushers; what is after it is looked at again after a restart.
CREATE TABLE push_cursor (
    one      BIGINT PRIMARY KEY CHECK (one = 1),
    position BIGINT NOT NULL
);
INSERT INTO push_cursor (one, position) SELECT 1, position FROM log_clock;
