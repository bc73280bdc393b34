-- Where a room's timeline lacks what was said while this server was not in the room. Such a gap has positions of its own, between
-- those of the old timeline and that of the event by which the server came back, and is filled downwards from there.
CREATE TABLE history_gaps (
    room_number    BIGINT NOT NULL,
    -- Everything of the gap stands after the one position and before the other.
    lower_position BIGINT NOT NULL,
    upper_position BIGINT NOT NULL,
    -- What is still missing stands before this position; all from there on is here.
    edge_position  BIGINT NOT NULL,
    -- 1 as long as anything is missing. What was filled in came later than its positions say, so that closed gaps stay known.
    is_open        BIGINT NOT NULL,
    PRIMARY KEY (room_number, lower_position)
);
