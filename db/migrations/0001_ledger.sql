-- The head row fences writers: each batch moves it, whoever finds another seq or epoch stops.
CREATE TABLE head (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    seq   INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    at    INTEGER NOT NULL -- unix microseconds of the last batch
) STRICT;
INSERT INTO head (id, seq, epoch, at) VALUES (1, 0, 1, 0);

-- A ledger is an asset: every ledger sums to zero.
CREATE TABLE assets (
    ledger INTEGER PRIMARY KEY,
    code   TEXT    NOT NULL,
    scale  INTEGER NOT NULL CHECK (scale BETWEEN 0 AND 9),
    UNIQUE (code, scale)
) STRICT;

CREATE TABLE accounts (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    ledger          INTEGER NOT NULL REFERENCES assets (ledger),
    code            INTEGER NOT NULL,
    debit_limit     INTEGER NOT NULL CHECK (debit_limit >= 0),
    debits_pending  INTEGER NOT NULL CHECK (debits_pending >= 0),
    debits_posted   INTEGER NOT NULL CHECK (debits_posted >= 0),
    credits_pending INTEGER NOT NULL CHECK (credits_pending >= 0),
    credits_posted  INTEGER NOT NULL CHECK (credits_posted >= 0),
    closed          INTEGER NOT NULL CHECK (closed IN (0, 1)),
    batch           INTEGER NOT NULL -- that opened it
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_by_batch ON accounts (batch);

CREATE TABLE transfers (
    seq       INTEGER PRIMARY KEY,
    id        BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    batch     INTEGER NOT NULL,
    debit     BLOB    NOT NULL,
    credit    BLOB    NOT NULL,
    amount    INTEGER NOT NULL CHECK (amount > 0),
    ledger    INTEGER NOT NULL,
    code      INTEGER NOT NULL,
    reference BLOB    NOT NULL CHECK (length(reference) = 16),
    drawn     INTEGER NOT NULL CHECK (drawn IN (0, 1)), -- 1: from a hold of this reference and debit account
    at        INTEGER NOT NULL,
    CHECK (debit <> credit)
) STRICT;

-- What a payment has reserved and what became of it.
CREATE TABLE holds (
    reference BLOB    NOT NULL CHECK (length(reference) = 16),
    debit     BLOB    NOT NULL,
    credit    BLOB    NOT NULL,
    reserved  INTEGER NOT NULL CHECK (reserved >= 0),
    in_flight INTEGER NOT NULL CHECK (in_flight >= 0),
    drawn     INTEGER NOT NULL CHECK (drawn >= 0),
    returned  INTEGER NOT NULL CHECK (returned >= 0),
    closed    INTEGER NOT NULL CHECK (closed IN (0, 1)),
    batch     INTEGER NOT NULL, -- that opened it
    PRIMARY KEY (reference, debit, credit),
    CHECK (closed = 0 OR (reserved = 0 AND in_flight = 0))
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_open ON holds (reference) WHERE closed = 0;

-- The hash chain over what each batch posted and opened.
CREATE TABLE batches (
    seq       INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    transfers INTEGER NOT NULL,
    hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
