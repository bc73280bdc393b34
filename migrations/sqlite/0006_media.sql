-- What lies in the media store: each content once, however many media and thumbnails share it.
CREATE TABLE media_contents (
    -- SHA-256, in lower-case hexadecimal.
    content_hash TEXT NOT NULL PRIMARY KEY,
    -- The name in the store. It is never given to anything else, so that removing one content cannot hit another.
    blob_key     TEXT NOT NULL UNIQUE,
    size_bytes   BIGINT NOT NULL,
    created_ts   BIGINT NOT NULL
);

-- The media of this server: `mxc://<server name>/<media_id>`.
CREATE TABLE media (
    media_id     TEXT NOT NULL PRIMARY KEY,
    -- Who made it; NULL for what the server fetched itself (images of previewed pages).
    user_number  BIGINT REFERENCES user_numbers (user_number),
    -- NULL until something is uploaded.
    content_hash TEXT REFERENCES media_contents (content_hash),
    content_type TEXT,
    file_name    TEXT,
    created_ts   BIGINT NOT NULL,
    -- Until when it must be uploaded, or when the server drops what it fetched itself; NULL: never.
    expires_ts   BIGINT,
    -- Whether it may be fetched without a token: it was uploaded before that was frozen.
    is_public    BIGINT NOT NULL
);
CREATE INDEX media_by_content ON media (content_hash) WHERE content_hash IS NOT NULL;
CREATE INDEX media_by_expiry ON media (expires_ts) WHERE expires_ts IS NOT NULL;
CREATE INDEX media_pending ON media (user_number, expires_ts) WHERE content_hash IS NULL;

-- Thumbnails, by what they were made from. One that would be no smaller than its source is the source.
CREATE TABLE media_thumbnails (
    source_hash  TEXT NOT NULL REFERENCES media_contents (content_hash),
    width        BIGINT NOT NULL,
    height       BIGINT NOT NULL,
    -- 'crop' or 'scale'.
    method       TEXT NOT NULL,
    is_animated  BIGINT NOT NULL,
    content_hash TEXT NOT NULL REFERENCES media_contents (content_hash),
    content_type TEXT NOT NULL,
    PRIMARY KEY (source_hash, width, height, method, is_animated)
);
CREATE INDEX media_thumbnails_by_content ON media_thumbnails (content_hash);

-- Names in the store that nothing refers to (yet, or any more), and when they may be removed: what a crash or a lost
-- race leaves in the store is found here.
CREATE TABLE media_garbage (
    blob_key  TEXT NOT NULL PRIMARY KEY,
    remove_ts BIGINT NOT NULL
);
CREATE INDEX media_garbage_by_time ON media_garbage (remove_ts);

-- Previews of pages, for as long as they are not asked for anew.
CREATE TABLE url_previews (
    -- SHA-256 of the address and the languages that it was asked for in.
    preview_key TEXT NOT NULL PRIMARY KEY,
    -- The OpenGraph properties, a JSON object.
    properties  TEXT NOT NULL,
    expires_ts  BIGINT NOT NULL
);
CREATE INDEX url_previews_by_expiry ON url_previews (expires_ts);
