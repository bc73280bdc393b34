-- Users of other servers whose devices this server keeps: it asks once and then follows what their server says.
CREATE TABLE remote_device_lists (
    user_number  BIGINT PRIMARY KEY,
    server_name  TEXT NOT NULL,
    -- Their server's number of this version of the list; NULL before the list was fetched for the first time.
    stream_id    BIGINT,
    -- Up to where the log was visible when the list was asked for: it holds while a room has been shared since before.
    position     BIGINT NOT NULL DEFAULT 0,
    -- How many changes were heard of. An answer to a question from before one of them is out of date.
    change_count BIGINT NOT NULL DEFAULT 0,
    is_stale     BIGINT NOT NULL DEFAULT 1,
    -- How often the list was asked for in vain, and when that is due again.
    failures     BIGINT NOT NULL DEFAULT 0,
    retry_ts     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX remote_device_lists_due ON remote_device_lists (retry_ts) WHERE is_stale = 1;

-- Their devices: the JSON object that each has published, and the name that their server tells.
CREATE TABLE remote_devices (
    user_number  BIGINT NOT NULL REFERENCES remote_device_lists (user_number) ON DELETE CASCADE,
    device_id    TEXT NOT NULL,
    keys         TEXT NOT NULL,
    display_name TEXT,
    PRIMARY KEY (user_number, device_id)
);

-- Their cross-signing keys; `usage` is master or self_signing.
CREATE TABLE remote_cross_signing_keys (
    user_number BIGINT NOT NULL REFERENCES remote_device_lists (user_number) ON DELETE CASCADE,
    usage       TEXT NOT NULL,
    keys        TEXT NOT NULL,
    PRIMARY KEY (user_number, usage)
);

-- Messages for devices of other servers until those have them: the contents of `m.direct_to_device` EDUs.
CREATE TABLE remote_to_device (
    server_name TEXT NOT NULL,
    position    BIGINT NOT NULL,
    content     TEXT NOT NULL,
    PRIMARY KEY (server_name, position)
);
CREATE INDEX remote_to_device_by_position ON remote_to_device (position);

-- Messages for devices that other servers have delivered: a repetition does nothing.
CREATE TABLE received_to_device (
    sender      TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    received_ts BIGINT NOT NULL,
    PRIMARY KEY (sender, message_id)
);
CREATE INDEX received_to_device_by_time ON received_to_device (received_ts);

-- When the user's cross-signing keys last changed; 0 for never since this column exists.
ALTER TABLE device_lists ADD COLUMN keys_position BIGINT NOT NULL DEFAULT 0;
CREATE INDEX device_lists_by_keys_position ON device_lists (keys_position) WHERE keys_position > 0;
