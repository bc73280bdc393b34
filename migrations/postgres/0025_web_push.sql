-- The key by which push services know this deployment (VAPID, RFC 8292): PKCS #8 in Base64. Subscriptions are tied to
-- it, so it never changes.
CREATE TABLE vapid_key (
    one         BIGINT PRIMARY KEY CHECK (one = 1),
    private_key TEXT NOT NULL
);

-- A pusher of kind `webpush` is told nothing until its client has sent back the token that was pushed to it. The token
-- is stored as SHA-256.
ALTER TABLE pushers ADD COLUMN is_activated BIGINT NOT NULL DEFAULT 1;
ALTER TABLE pushers ADD COLUMN ack_token_hash TEXT;
ALTER TABLE pushers ADD COLUMN ack_expires_ts BIGINT;
