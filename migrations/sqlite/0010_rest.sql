-- Accounts of guests (CS API § Guest access): they end with their session, or become whole accounts.
ALTER TABLE accounts ADD COLUMN is_guest BIGINT NOT NULL DEFAULT 0;
DROP INDEX accounts_marked;
CREATE INDEX accounts_marked ON accounts (user_number)
    WHERE is_admin = 1 OR is_locked = 1 OR is_suspended = 1 OR is_guest = 1;
CREATE INDEX accounts_of_guests ON accounts (user_number) WHERE is_guest = 1;

-- The one room in which the server writes to a user (CS API § Server notices).
CREATE TABLE notice_rooms (
    user_number BIGINT PRIMARY KEY REFERENCES user_numbers (user_number),
    room_number BIGINT NOT NULL REFERENCES room_numbers (room_number)
);
CREATE INDEX notice_rooms_by_room ON notice_rooms (room_number);
