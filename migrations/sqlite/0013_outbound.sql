-- How far other servers have what is ours of the log: its events (`position`), and what is to arrive whatever happens
-- but is no event, messages to devices and changes of device lists (`edu_position`). Only servers that are behind have a
-- row of their own; the one without a name stands for all the others, so that live traffic writes one row for all.
CREATE TABLE federation_cursors (
    server_name  TEXT PRIMARY KEY,
    position     BIGINT NOT NULL,
    edu_position BIGINT NOT NULL
);

-- The users of a server: in which rooms it is follows from their memberships.
CREATE INDEX user_numbers_of_server ON user_numbers (substr(user_id, instr(user_id, ':') + 1));
