-- A peer is another node, with which packets are exchanged. Its id is its ledger account's, whose row is written later in
-- the same batch; its asset and its credit limit are that account's. One that was removed stays, without its secrets, since
-- transfers name its account.
CREATE TABLE peers (
    id                  BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name                TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    ilp_address         TEXT    NOT NULL,
    outgoing_url        TEXT    NOT NULL, -- where it takes packets, empty when it takes none
    outgoing_token      TEXT    NOT NULL, -- what it knows us by, empty when it isn't called at all
    async               INTEGER NOT NULL CHECK (async IN (0, 1)), -- packets to it are answered in callbacks
    callback_url        TEXT    NOT NULL, -- where it takes the replies to its own packets, empty when in the response
    max_packet          INTEGER NOT NULL CHECK (max_packet >= 0),          -- units of its asset; 0 none, as in the limits below
    rate_limit          INTEGER NOT NULL CHECK (rate_limit >= 0),          -- packets a second from it
    throughput          INTEGER NOT NULL CHECK (throughput >= 0),          -- units a second from it
    max_in_flight_value INTEGER NOT NULL CHECK (max_in_flight_value >= 0), -- units, each direction apart
    max_in_flight_count INTEGER NOT NULL CHECK (max_in_flight_count >= 0), -- packets, each direction apart; 0 as many as the program sees fit
    default_route       INTEGER NOT NULL CHECK (default_route IN (0, 1)),  -- the way to whatever nobody else has a route to
    created_at          INTEGER NOT NULL,
    removed_at          INTEGER,
    CHECK ((outgoing_url = '' AND callback_url = '') = (outgoing_token = '')),
    CHECK (async = 0 OR outgoing_url <> ''),
    CHECK (removed_at IS NULL OR (outgoing_token = '' AND default_route = 0))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX peers_by_name ON peers (name) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX peers_by_address ON peers (ilp_address) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX peers_default ON peers (default_route) WHERE default_route = 1;

-- The tokens that a peer calls with: only their SHA-256. There are several while one replaces another.
CREATE TABLE peer_tokens (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    peer       BLOB    NOT NULL REFERENCES peers (id),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX peer_tokens_by_peer ON peer_tokens (peer);

-- The prefixes that a peer is the way to, besides its own address.
CREATE TABLE peer_routes (
    prefix TEXT NOT NULL PRIMARY KEY,
    peer   BLOB NOT NULL REFERENCES peers (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX peer_routes_by_peer ON peer_routes (peer);

-- Answers of peers that were lost without a crash: the money was given back to the sender, since nothing is owed without a
-- fulfillment in time, but the peer may claim it. What settlement talks have to know, and what came of them.
CREATE TABLE peer_doubts (
    n           INTEGER NOT NULL PRIMARY KEY,
    peer        BLOB    NOT NULL REFERENCES peers (id),
    reference   BLOB    NOT NULL CHECK (length(reference) = 16), -- what the packets moved for
    packets     INTEGER NOT NULL CHECK (packets > 0),
    amount      INTEGER NOT NULL CHECK (amount >= 0), -- units of the peer's asset
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    cause       TEXT    NOT NULL, -- of the last
    state       INTEGER NOT NULL CHECK (state IN (0, 1, 2)), -- open, dismissed: nothing arrived, accepted: the peer is owed it
    resolved_at INTEGER,
    CHECK ((state = 0) = (resolved_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX peer_doubts_open ON peer_doubts (peer, reference) WHERE state = 0;
CREATE INDEX peer_doubts_by_peer ON peer_doubts (peer, reference);
