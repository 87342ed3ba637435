-- What people let apps do with their money, and what apps have asked for and nobody has answered: a row that is pending
-- belongs to nobody yet. How much of one is used is in the ledger, in an account for each of its intervals.
CREATE TABLE agreements (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    client_id    TEXT    NOT NULL, -- the app's
    app          TEXT    NOT NULL, -- what the app was called when it asked
    user_id      BLOB    REFERENCES users (id),
    account_id   BLOB    REFERENCES wallet_accounts (id),
    description  TEXT    NOT NULL,
    asset_code   TEXT    NOT NULL,
    asset_scale  INTEGER NOT NULL,
    asked        INTEGER NOT NULL CHECK (asked > 0),                    -- units of the asset in an interval: what the app wanted
    amount       INTEGER NOT NULL CHECK (amount BETWEEN 1 AND asked),   -- and what it may use
    "interval"   TEXT    NOT NULL,                                      -- ISO 8601, empty for one without an end
    payment_max  INTEGER NOT NULL CHECK (payment_max BETWEEN 0 AND amount), -- of one payment; 0 for no such cap
    receivers    TEXT    NOT NULL,                                      -- payment pointers, a line each; empty for anybody
    starts_at    INTEGER,                                               -- NULL: when it was approved
    expires_at   INTEGER CHECK (expires_at > starts_at),
    ends_at      INTEGER,                                               -- when it expires or its last interval is over; NULL: never
    state        TEXT    NOT NULL CHECK (state IN ('pending', 'active', 'paused', 'revoked')),
    consent      BLOB    UNIQUE CHECK (length(consent) = 32),           -- SHA-256 of the challenge that it was approved with
    created_at   INTEGER NOT NULL,
    approved_at  INTEGER,
    collected_at INTEGER, -- the app first asked for a token for it; NULL: nobody can use it yet
    ended_at     INTEGER,
    last_used_at INTEGER,
    CHECK ((state = 'pending') = (user_id IS NULL) AND (user_id IS NULL) = (account_id IS NULL)
        AND (user_id IS NULL) = (approved_at IS NULL) AND (user_id IS NULL) = (consent IS NULL)),
    CHECK ((state = 'revoked') = (ended_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX agreements_by_user ON agreements (user_id, approved_at);
CREATE INDEX agreements_by_account ON agreements (account_id);
CREATE INDEX agreements_by_client ON agreements (client_id, state, created_at);

-- What happened to an agreement since it was asked for.
CREATE TABLE agreement_events (
    n          INTEGER NOT NULL PRIMARY KEY,
    agreement  BLOB    NOT NULL REFERENCES agreements (id),
    kind       TEXT    NOT NULL CHECK (kind IN ('approved', 'lowered', 'paused', 'resumed', 'revoked', 'given_up', 'near', 'reached')),
    at         INTEGER NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount >= 0), -- what may be used from then on; near and reached: what was used
    repetition INTEGER CHECK ((repetition IS NOT NULL) = (kind IN ('near', 'reached'))), -- the number of the interval
    note       TEXT    NOT NULL                      -- why, in a sentence, or empty
) STRICT;
CREATE INDEX agreement_events_by_agreement ON agreement_events (agreement, n);
CREATE UNIQUE INDEX agreement_events_once ON agreement_events (agreement, kind, repetition) WHERE repetition IS NOT NULL;
