-- Media of other servers that were fetched for people here: `mxc://<server_name>/<media_id>`. `content_hash` names a
-- content of `media_contents`; if it is not there (a release that does not know of this table may have removed it),
-- the media is as if never fetched.
CREATE TABLE remote_media (
    server_name  TEXT NOT NULL,
    media_id     TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    content_type TEXT NOT NULL,
    file_name    TEXT,
    fetched_ts   BIGINT NOT NULL,
    -- When somebody read it last, to the day.
    read_ts      BIGINT NOT NULL,
    PRIMARY KEY (server_name, media_id)
);
CREATE INDEX remote_media_by_content ON remote_media (content_hash);
CREATE INDEX remote_media_by_reading ON remote_media (read_ts);
