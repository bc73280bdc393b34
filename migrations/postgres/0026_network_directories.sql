-- The rooms that application services list for the networks that they serve, beside the directory of all rooms.
CREATE TABLE network_rooms (
    -- The `instance_id` of the network, as clients are told of it: the service's ID and its name for the network.
    network     TEXT COLLATE "C" NOT NULL,
    room_number BIGINT NOT NULL,
    PRIMARY KEY (network, room_number)
);
CREATE INDEX network_rooms_by_room ON network_rooms (room_number);
