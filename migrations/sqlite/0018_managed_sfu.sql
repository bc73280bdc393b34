-- The SFU that this server runs itself: the pair of keys by which the two know each other, made once, and the ports that
-- it had last, so that a server that was killed finds it again. One row; its name is empty.
CREATE TABLE managed_sfu (
    name TEXT PRIMARY KEY,
    api_key TEXT NOT NULL,
    api_secret TEXT NOT NULL,
    signal_port BIGINT NOT NULL,
    rtc_tcp_port BIGINT NOT NULL,
    -- Equal where all media goes by one port.
    rtc_udp_first BIGINT NOT NULL,
    rtc_udp_last BIGINT NOT NULL
);
