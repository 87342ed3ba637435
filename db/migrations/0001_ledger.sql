-- The head row fences writers: each batch moves it, whoever finds another seq or epoch stops.
CREATE TABLE head (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    seq   INTEGER NOT NULL CHECK (seq >= 0),
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    at    INTEGER NOT NULL CHECK (at >= 0), -- unix microseconds of the last batch
    seal  BLOB    NOT NULL CHECK (length(seal) = 32) -- SHA-256 over the three
) STRICT;
INSERT INTO head (id, seq, epoch, at, seal)
VALUES (1, 0, 1, 0, x'242fa262c492d35a3c8f8890bc82efa7ca6a56bf7b5673c8642108d28d8a2cad');

-- A ledger is an asset: every ledger sums to zero.
CREATE TABLE assets (
    ledger INTEGER PRIMARY KEY CHECK (ledger BETWEEN 1 AND 4294967295),
    code   TEXT    NOT NULL CHECK (length(code) BETWEEN 1 AND 32),
    scale  INTEGER NOT NULL CHECK (scale BETWEEN 0 AND 9),
    UNIQUE (code, scale)
) STRICT;

CREATE TABLE accounts (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    ledger          INTEGER NOT NULL REFERENCES assets (ledger),
    code            INTEGER NOT NULL CHECK (code BETWEEN 0 AND 65535),
    debit_limit     INTEGER NOT NULL CHECK (debit_limit >= 0),
    debits_pending  INTEGER NOT NULL CHECK (debits_pending >= 0),
    debits_posted   INTEGER NOT NULL CHECK (debits_posted >= 0),
    credits_pending INTEGER NOT NULL CHECK (credits_pending >= 0),
    credits_posted  INTEGER NOT NULL CHECK (credits_posted >= 0),
    closed          INTEGER NOT NULL CHECK (closed IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE transfers (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    id        BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    batch     INTEGER NOT NULL CHECK (batch > 0),
    debit     BLOB    NOT NULL CHECK (length(debit) = 16),
    credit    BLOB    NOT NULL CHECK (length(credit) = 16),
    amount    INTEGER NOT NULL CHECK (amount > 0),
    ledger    INTEGER NOT NULL CHECK (ledger BETWEEN 1 AND 4294967295),
    code      INTEGER NOT NULL CHECK (code BETWEEN 0 AND 65535),
    reference BLOB    NOT NULL CHECK (length(reference) = 16),
    hold      BLOB    CHECK (length(hold) = 16), -- drawn: credit account of the hold with this reference and debit account
    at        INTEGER NOT NULL CHECK (at > 0),
    CHECK (debit <> credit)
) STRICT;

-- What a payment has reserved and what became of it.
CREATE TABLE holds (
    reference BLOB    NOT NULL CHECK (length(reference) = 16),
    debit     BLOB    NOT NULL CHECK (length(debit) = 16),
    credit    BLOB    NOT NULL CHECK (length(credit) = 16),
    reserved  INTEGER NOT NULL CHECK (reserved >= 0),
    in_flight INTEGER NOT NULL CHECK (in_flight >= 0),
    drawn     INTEGER NOT NULL CHECK (drawn >= 0),
    returned  INTEGER NOT NULL CHECK (returned >= 0),
    closed    INTEGER NOT NULL CHECK (closed IN (0, 1)),
    PRIMARY KEY (reference, debit, credit),
    CHECK (debit <> credit),
    CHECK (closed = 0 OR (reserved = 0 AND in_flight = 0))
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_open ON holds (reference) WHERE closed = 0;

-- Every command that took effect and is no transfer. A batch's entries and transfers are numbered together, from 1, as
-- they were applied: the transfers have the numbers that are not here, in the order of their seq. From the log and the
-- transfers alone all the tables above can be made again.
CREATE TABLE ledger_log (
    batch INTEGER NOT NULL CHECK (batch > 0),
    n     INTEGER NOT NULL CHECK (n > 0),
    kind  INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 6), -- asset, account opened, closed, limit, hold opened, closed
    body  BLOB    NOT NULL CHECK (length(body) BETWEEN 6 AND 56),
    PRIMARY KEY (batch, n)
) STRICT, WITHOUT ROWID;

-- A row for each batch that had an effect on the ledger; the hashes are a chain over all of them.
CREATE TABLE batches (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    at        INTEGER NOT NULL CHECK (at > 0),
    transfers INTEGER NOT NULL CHECK (transfers >= 0),
    entries   INTEGER NOT NULL CHECK (entries >= 0), -- in the log
    hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Where the chain ends: without it the last batches could be cut off unseen.
CREATE TABLE ledger_end (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    batch INTEGER NOT NULL CHECK (batch > 0), -- the last one
    seal  BLOB    NOT NULL CHECK (length(seal) = 32) -- SHA-256 over its hash
) STRICT;
