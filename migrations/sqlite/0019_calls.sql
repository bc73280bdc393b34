-- Who was let into which call: one row for each identity that a token was issued to, until the token is over and its holder
-- gone. LiveKit cannot take tokens back, so this is how a right that ended is enforced on who holds an old one.
CREATE TABLE call_grants (
    -- The SFU by its name in the configuration, the room there, and who the holder is there.
    sfu          TEXT NOT NULL,
    livekit_room TEXT NOT NULL,
    identity     TEXT NOT NULL,
    room_number  BIGINT NOT NULL,
    user_number  BIGINT NOT NULL,
    -- The device that asked; NULL if this server knows none of that name.
    device_id    TEXT,
    issued_ts    BIGINT NOT NULL,
    -- When the token ends, or later for somebody who is in the call.
    expires_ts   BIGINT NOT NULL,
    -- What the holder may send: a bit for each of camera (1), microphone (2), screen share (4) and its sound (8).
    publish      BIGINT NOT NULL,
    -- Whether the holder was let in to listen and watch, whatever the room would let them send.
    is_listener  BIGINT NOT NULL,
    -- Whether the token was taken back: who comes in with it is put out again.
    is_revoked   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (sfu, livekit_room, identity)
);
CREATE INDEX call_grants_of_room ON call_grants (room_number);
CREATE INDEX call_grants_by_expiry ON call_grants (expires_ts);

-- Departures that clients have left to this server: when the SFU says that the holder is gone, the delayed event is sent.
CREATE TABLE call_departures (
    sfu          TEXT NOT NULL,
    livekit_room TEXT NOT NULL,
    identity     TEXT NOT NULL,
    delay_id     TEXT NOT NULL,
    delay_ms     BIGINT NOT NULL,
    since_ts     BIGINT NOT NULL,
    PRIMARY KEY (sfu, livekit_room, identity)
);
