-- Events that stick to their room for a while (MSC4354): everybody who is in it gets them, wherever they stand in the
-- timeline. A row ends with the event's stickiness; ended ones are removed in passing. `position` is the place in the log
-- at which readers hear of it, mostly that of the event itself; NULL as long as the room's state does not allow the event.
-- `expires_ts` is 0 for one that was ended early.
CREATE TABLE sticky_events (
    event_number  BIGINT PRIMARY KEY,
    room_number   BIGINT NOT NULL,
    sender_number BIGINT NOT NULL,
    expires_ts    BIGINT NOT NULL,
    position      BIGINT
);
CREATE INDEX sticky_events_of_room ON sticky_events (room_number, position);
CREATE INDEX sticky_events_by_end ON sticky_events (expires_ts);
