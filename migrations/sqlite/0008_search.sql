-- What the search has read of the log: everything up to here is in the tables below.
CREATE TABLE search_cursor (
    one      BIGINT PRIMARY KEY CHECK (one = 1),
    position BIGINT NOT NULL
);
INSERT INTO search_cursor (one, position) VALUES (1, -9223372036854775807);
-- The events that the search reads, in the order of the log. Encrypted ones, the many, are not among them.
CREATE INDEX events_for_search ON events (position)
    WHERE event_type IN ('m.room.message', 'm.room.name', 'm.room.topic', 'm.room.redaction', 'm.room.member',
                         'm.room.join_rules', 'm.room.history_visibility');

-- The texts that can be found: one row for each event with a text, at the event's place in the log. `field` is the
-- key that is searched (0 body, 1 name, 2 topic), `words` the text as it is compared, `text_number` the event that the
-- text is from: the latest edit, or the event itself.
CREATE TABLE search_texts (
    position      BIGINT PRIMARY KEY,
    event_number  BIGINT NOT NULL,
    text_number   BIGINT NOT NULL,
    room_number   BIGINT NOT NULL,
    sender_number BIGINT NOT NULL,
    field         BIGINT NOT NULL,
    words         TEXT NOT NULL
);
CREATE INDEX search_texts_by_source ON search_texts (text_number);
-- The tokens of each text; `rowid` is its position. The tokenizer only splits at blanks: what a token is, the server
-- decides, alike for both databases.
CREATE VIRTUAL TABLE search_tokens USING fts5 (
    tokens, content = '', contentless_delete = 1, detail = 'none', tokenize = "ascii tokenchars ':'"
);

-- The people that can be found, with the name and picture that they show to everyone.
CREATE TABLE directory_people (
    user_number  BIGINT PRIMARY KEY,
    user_id      TEXT NOT NULL,
    display_name TEXT,
    avatar_url   TEXT
);
-- The tokens of each person; `rowid` is the user number.
CREATE VIRTUAL TABLE directory_tokens USING fts5 (
    tokens, content = '', contentless_delete = 1, detail = 'none', tokenize = "ascii tokenchars ':'"
);
-- Rooms that everyone may join or read: who is in them can be found by everyone.
CREATE TABLE directory_open_rooms (
    room_number BIGINT PRIMARY KEY
);
-- Whose row is out of date. Rooms report by the log; accounts and profiles, which are not in the log, by triggers, so
-- that no way of changing them can be forgotten.
CREATE TABLE directory_changes (
    change_number INTEGER PRIMARY KEY AUTOINCREMENT,
    user_number   BIGINT NOT NULL
);
INSERT INTO directory_changes (user_number) SELECT user_number FROM accounts;
CREATE TRIGGER directory_account_made AFTER INSERT ON accounts
BEGIN
    INSERT INTO directory_changes (user_number) VALUES (new.user_number);
END;
CREATE TRIGGER directory_account_changed AFTER UPDATE OF deactivated_ts, is_locked ON accounts
BEGIN
    INSERT INTO directory_changes (user_number) VALUES (new.user_number);
END;
CREATE TRIGGER directory_profile_set AFTER INSERT ON profile_fields WHEN new.field IN ('displayname', 'avatar_url')
BEGIN
    INSERT INTO directory_changes (user_number) VALUES (new.user_number);
END;
CREATE TRIGGER directory_profile_changed AFTER UPDATE ON profile_fields WHEN new.field IN ('displayname', 'avatar_url')
BEGIN
    INSERT INTO directory_changes (user_number) VALUES (new.user_number);
END;
CREATE TRIGGER directory_profile_removed AFTER DELETE ON profile_fields WHEN old.field IN ('displayname', 'avatar_url')
BEGIN
    INSERT INTO directory_changes (user_number) VALUES (old.user_number);
END;
