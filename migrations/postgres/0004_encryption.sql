-- The private part of a dehydrated device, encrypted by its user's clients (MSC3814); NULL for devices that are used.
ALTER TABLE devices ADD COLUMN dehydrated_data TEXT COLLATE "C";
CREATE UNIQUE INDEX devices_dehydrated ON devices (user_number) WHERE dehydrated_data IS NOT NULL;

-- The identity keys of devices: the JSON object that the device uploaded, with its own signatures.
CREATE TABLE device_keys (
    user_number BIGINT NOT NULL,
    device_id   TEXT COLLATE "C" NOT NULL,
    keys        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_number, device_id),
    FOREIGN KEY (user_number, device_id) REFERENCES devices (user_number, device_id) ON DELETE CASCADE
);

-- One-time keys that nobody has claimed. `place` orders those of one device and algorithm: the lowest is given out next.
CREATE TABLE one_time_keys (
    user_number BIGINT NOT NULL,
    device_id   TEXT COLLATE "C" NOT NULL,
    algorithm   TEXT COLLATE "C" NOT NULL,
    place       BIGINT NOT NULL,
    key_id      TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_number, device_id, algorithm, place),
    FOREIGN KEY (user_number, device_id) REFERENCES devices (user_number, device_id) ON DELETE CASCADE
);

-- What is given out when a device has no one-time keys left.
CREATE TABLE fallback_keys (
    user_number BIGINT NOT NULL,
    device_id   TEXT COLLATE "C" NOT NULL,
    algorithm   TEXT COLLATE "C" NOT NULL,
    key_id      TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    is_used     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_number, device_id, algorithm),
    FOREIGN KEY (user_number, device_id) REFERENCES devices (user_number, device_id) ON DELETE CASCADE
);

-- Cross-signing keys; `usage` is master, self_signing or user_signing.
CREATE TABLE cross_signing_keys (
    user_number BIGINT NOT NULL REFERENCES accounts (user_number),
    usage       TEXT COLLATE "C" NOT NULL,
    public_key  TEXT COLLATE "C" NOT NULL,
    keys        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_number, usage)
);

-- Signatures uploaded apart from the key that they are about: `target` is a device ID or a public key of the user.
CREATE TABLE key_signatures (
    user_number   BIGINT NOT NULL,
    target        TEXT COLLATE "C" NOT NULL,
    signer_number BIGINT NOT NULL,
    signer_key    TEXT COLLATE "C" NOT NULL,
    signature     TEXT COLLATE "C" NOT NULL,
    position      BIGINT NOT NULL,
    PRIMARY KEY (user_number, target, signer_number, signer_key)
);
CREATE INDEX key_signatures_of_signer ON key_signatures (signer_number, position);

-- When a user's devices or keys last changed for others to see.
CREATE TABLE device_lists (
    user_number BIGINT PRIMARY KEY,
    position    BIGINT NOT NULL
);
CREATE INDEX device_lists_by_position ON device_lists (position);

-- When a member last came into the room or went out of it; 0 for who was never in.
ALTER TABLE memberships ADD COLUMN sharing_position BIGINT NOT NULL DEFAULT 0;
CREATE INDEX memberships_by_sharing ON memberships (room_number, sharing_position);

-- Messages that wait for a device.
CREATE TABLE to_device_messages (
    user_number BIGINT NOT NULL,
    device_id   TEXT COLLATE "C" NOT NULL,
    position    BIGINT NOT NULL,
    event       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_number, device_id, position),
    FOREIGN KEY (user_number, device_id) REFERENCES devices (user_number, device_id) ON DELETE CASCADE
);

-- Requests to send to devices that were done: a repetition does nothing.
CREATE TABLE to_device_transactions (
    session_number BIGINT NOT NULL,
    event_type     TEXT COLLATE "C" NOT NULL,
    transaction_id TEXT COLLATE "C" NOT NULL,
    sent_ts        BIGINT NOT NULL,
    PRIMARY KEY (session_number, event_type, transaction_id)
);
CREATE INDEX to_device_transactions_by_time ON to_device_transactions (sent_ts);

-- Backups of room keys. A deleted version leaves its row, so that its number is not given out again.
CREATE TABLE key_backups (
    user_number BIGINT NOT NULL REFERENCES accounts (user_number),
    version     BIGINT NOT NULL,
    algorithm   TEXT COLLATE "C" NOT NULL,
    auth_data   TEXT COLLATE "C" NOT NULL,
    etag        BIGINT NOT NULL DEFAULT 0,
    key_count   BIGINT NOT NULL DEFAULT 0,
    is_deleted  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_number, version)
);

-- The room keys in them.
CREATE TABLE backed_up_keys (
    user_number         BIGINT NOT NULL,
    version             BIGINT NOT NULL,
    room_id             TEXT COLLATE "C" NOT NULL,
    session_id          TEXT COLLATE "C" NOT NULL,
    first_message_index BIGINT NOT NULL,
    forwarded_count     BIGINT NOT NULL,
    is_verified         BIGINT NOT NULL,
    session_data        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_number, version, room_id, session_id)
);
