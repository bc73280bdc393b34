-- What a directory owns in rooms: whom it brought in, and the power levels that it gave. Whatever is not in here, people
-- have done, and it stays theirs.
CREATE TABLE directory_memberships (
    room_number BIGINT NOT NULL,
    user_number BIGINT NOT NULL,
    -- Which directory: the name of its password provider.
    directory   TEXT COLLATE "C" NOT NULL,
    -- Whether it brought the person in.
    is_member   BIGINT NOT NULL,
    -- The level that it gave; NULL if none.
    power_level BIGINT,
    -- The DN of the group for which it did so last, in normal form.
    group_dn    TEXT COLLATE "C" NOT NULL,
    changed_ts  BIGINT NOT NULL,
    PRIMARY KEY (room_number, user_number)
);

-- Whom a directory made an administrator of this server.
CREATE TABLE directory_administrators (
    user_number BIGINT PRIMARY KEY,
    directory   TEXT COLLATE "C" NOT NULL,
    group_dn    TEXT COLLATE "C" NOT NULL,
    changed_ts  BIGINT NOT NULL
);
