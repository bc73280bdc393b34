-- How far each application service has come in the log: everything up to `position` was acknowledged, or was of no
-- interest to it. While a transaction is open the other columns say what it holds, so that it is repeated as it was.
CREATE TABLE application_services (
    service_id         TEXT PRIMARY KEY,
    position           BIGINT NOT NULL,
    -- The number of the latest transaction.
    transaction_number BIGINT NOT NULL,
    -- Where the log is read on after the open transaction; NULL if none is open.
    open_to            BIGINT,
    -- The numbers of its events, a JSON list.
    open_events        TEXT,
    -- What else it holds, a JSON object.
    open_rest          TEXT
);
-- The log in its order, for who reads all of it.
CREATE INDEX events_by_position ON events (position) WHERE position > 0;
CREATE INDEX to_device_messages_by_position ON to_device_messages (position);
