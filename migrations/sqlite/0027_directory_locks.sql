-- When a sync of the directory locked an account, for the safety stop counts who was locked lately; NULL for who was
-- locked at a refresh, by an administrator's word, or not by a directory.
ALTER TABLE accounts ADD COLUMN directory_locked_ts BIGINT;
