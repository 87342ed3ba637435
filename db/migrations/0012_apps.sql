-- Apps that people have registered: OAuth clients. A row says what the client should be, and is there before the client is;
-- revision counts its changes, settled is the last one that Hydra has. A deleted app stays for those who had allowed it something.
CREATE TABLE apps (
    client_id     TEXT    NOT NULL PRIMARY KEY,
    owner         BLOB    NOT NULL REFERENCES users (id),
    name          TEXT    NOT NULL,
    confidential  INTEGER NOT NULL CHECK (confidential IN (0, 1)),
    redirect_uris TEXT    NOT NULL, -- one a line
    policy_url    TEXT    NOT NULL, -- '' for none
    terms_url     TEXT    NOT NULL, -- '' for none
    revision      INTEGER NOT NULL CHECK (revision > 0),
    settled       INTEGER NOT NULL CHECK (settled >= 0 AND settled <= revision),
    created_at    INTEGER NOT NULL,
    secret_at     INTEGER, -- its secret was last asked for
    last_used_at  INTEGER, -- to the minute
    deleted_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX apps_by_owner ON apps (owner);
CREATE INDEX apps_unsettled ON apps (client_id) WHERE settled < revision;

-- Logos, in a table with short rows of its own: people's lists don't read them.
CREATE TABLE app_logos (
    client_id TEXT NOT NULL UNIQUE REFERENCES apps (client_id),
    version   TEXT NOT NULL, -- of the picture: changes when it does
    png       BLOB NOT NULL  -- 256 × 256
) STRICT;

-- Notices of agreements nearly used up, or used up, that their owners have closed.
CREATE TABLE closed_notices (
    user_id    BLOB    NOT NULL REFERENCES users (id),
    agreement  BLOB    NOT NULL CHECK (length(agreement) = 16),
    kind       TEXT    NOT NULL CHECK (kind IN ('near', 'reached')),
    repetition INTEGER NOT NULL, -- the number of the interval
    closed_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, agreement, kind, repetition)
) STRICT, WITHOUT ROWID;
