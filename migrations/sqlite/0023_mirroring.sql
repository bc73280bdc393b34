-- Who locked an account, if a directory did: only what it locked does it unlock. NULL for administrators' locks.
ALTER TABLE accounts ADD COLUMN locked_by TEXT;
-- SHA-256 of the directory's photo that the avatar was last made of.
ALTER TABLE accounts ADD COLUMN directory_photo TEXT;
