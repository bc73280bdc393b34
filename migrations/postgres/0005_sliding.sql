-- What the clients of simplified sliding sync (MSC4186) were sent. A row says what a client has that was last given
-- a token of this generation; it is never changed, a later state is a row of its own. Of each connection the row that
-- the client came with and the one that it was given are kept, for the answer may be lost.
CREATE TABLE sliding_states (
    generation  BIGINT PRIMARY KEY,
    user_number BIGINT NOT NULL,
    device_id   TEXT COLLATE "C" NOT NULL,
    conn_id     TEXT COLLATE "C" NOT NULL,
    -- When the connection was last used, to the day.
    used_ts     BIGINT NOT NULL,
    -- JSON, see `sync`.
    state       TEXT COLLATE "C" NOT NULL
);
CREATE INDEX sliding_states_of_device ON sliding_states (user_number, device_id, conn_id);
CREATE INDEX sliding_states_by_use ON sliding_states (used_ts);

-- The threads that users follow, and those that they ceased to follow (MSC4306).
CREATE TABLE thread_subscriptions (
    user_number   BIGINT NOT NULL,
    room_number   BIGINT NOT NULL,
    -- The event ID of the thread's root.
    root_id       TEXT COLLATE "C" NOT NULL,
    -- 0 not subscribed any more, 1 subscribed by a client on its own, 2 by the user.
    subscription  BIGINT NOT NULL,
    -- When the user last unsubscribed; events up to here subscribe nobody by themselves. 0 for never.
    refused_up_to BIGINT NOT NULL,
    position      BIGINT NOT NULL,
    PRIMARY KEY (user_number, room_number, root_id)
);
