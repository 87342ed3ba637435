-- Accounts and holds get numbers, in the order they were opened: transfers are many and name them by number.
CREATE TABLE numbered_accounts (
    n               INTEGER PRIMARY KEY CHECK (n > 0),
    id              BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    ledger          INTEGER NOT NULL REFERENCES assets (ledger),
    code            INTEGER NOT NULL CHECK (code BETWEEN 0 AND 65535),
    debit_limit     INTEGER NOT NULL CHECK (debit_limit >= 0),
    debits_pending  INTEGER NOT NULL CHECK (debits_pending >= 0),
    debits_posted   INTEGER NOT NULL CHECK (debits_posted >= 0),
    credits_pending INTEGER NOT NULL CHECK (credits_pending >= 0),
    credits_posted  INTEGER NOT NULL CHECK (credits_posted >= 0),
    user_data       BLOB    NOT NULL CHECK (length(user_data) = 16), -- the opener's, zero for none
    closed          INTEGER NOT NULL CHECK (closed IN (0, 1))
) STRICT;
WITH opened (id, batch, n) AS MATERIALIZED (SELECT substr(body, 1, 16), batch, n FROM ledger_log WHERE kind = 2)
INSERT INTO numbered_accounts
SELECT row_number() OVER (ORDER BY o.batch IS NULL, o.batch, o.n, a.id), a.id, a.ledger, a.code, a.debit_limit,
    a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted, zeroblob(16), a.closed
FROM accounts a LEFT JOIN opened o ON o.id = a.id;
DROP TABLE accounts;
ALTER TABLE numbered_accounts RENAME TO accounts;

-- What is reserved, what travels, and what became of it. Value in flight goes towards one account at a time: it is who
-- would owe it after a crash. Without a reservation (unreserved) everything taken is in flight.
CREATE TABLE numbered_holds (
    n          INTEGER PRIMARY KEY CHECK (n > 0),
    reference  BLOB    NOT NULL CHECK (length(reference) = 16),
    debit      INTEGER NOT NULL REFERENCES accounts (n),
    credit     INTEGER NOT NULL REFERENCES accounts (n),
    reserved   INTEGER NOT NULL CHECK (reserved >= 0),
    in_flight  INTEGER NOT NULL CHECK (in_flight >= 0),
    drawn      INTEGER NOT NULL CHECK (drawn >= 0),
    returned   INTEGER NOT NULL CHECK (returned >= 0),
    toward     INTEGER REFERENCES accounts (n),
    expires    INTEGER NOT NULL CHECK (expires >= 0), -- unix microseconds, 0 never
    unreserved INTEGER NOT NULL CHECK (unreserved IN (0, 1)),
    closed     INTEGER NOT NULL CHECK (closed IN (0, 1)),
    UNIQUE (reference, debit, credit),
    CHECK (debit <> credit),
    CHECK (unreserved = 0 OR reserved = 0),
    CHECK (in_flight = 0 OR toward IS NOT NULL),
    CHECK (closed = 0 OR (reserved = 0 AND in_flight = 0))
) STRICT;
WITH opened (reference, debit, credit, batch, n) AS MATERIALIZED (
    SELECT substr(body, 1, 16), substr(body, 17, 16), substr(body, 33, 16), batch, n FROM ledger_log WHERE kind = 5)
INSERT INTO numbered_holds
SELECT row_number() OVER (ORDER BY o.batch IS NULL, o.batch, o.n, h.reference), h.reference, d.n, c.n,
    h.reserved, h.in_flight, h.drawn, h.returned, NULL, 0, 0, h.closed
FROM holds h LEFT JOIN accounts d ON d.id = h.debit LEFT JOIN accounts c ON c.id = h.credit
LEFT JOIN opened o ON o.reference = h.reference AND o.debit = h.debit AND o.credit = h.credit;

-- No index but the key: what is looked up in transfers is in transfer_ids and history, which follow.
CREATE TABLE narrow_transfers (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    id        BLOB    CHECK (length(id) = 16),
    batch     INTEGER NOT NULL CHECK (batch > 0),
    debit     INTEGER NOT NULL CHECK (debit > 0),
    credit    INTEGER NOT NULL CHECK (credit > 0),
    amount    INTEGER NOT NULL CHECK (amount > 0),
    code      INTEGER NOT NULL CHECK (code BETWEEN 0 AND 65535),
    reference BLOB    NOT NULL CHECK (length(reference) = 16),
    hold      INTEGER CHECK (hold > 0), -- drawn from the hold with this number
    packets   INTEGER NOT NULL CHECK (packets >= 0), -- how many of a batch are this row; 0: none, it has an id of its own
    CHECK (debit <> credit),
    CHECK ((id IS NULL) = (packets > 0))
) STRICT;
INSERT INTO narrow_transfers
SELECT t.seq, t.id, t.batch, d.n, c.n, t.amount, t.code, t.reference, h.n, 0
FROM transfers t LEFT JOIN accounts d ON d.id = t.debit LEFT JOIN accounts c ON c.id = t.credit
LEFT JOIN accounts k ON k.id = t.hold
LEFT JOIN numbered_holds h ON h.reference = t.reference AND h.debit = d.n AND h.credit = k.n
ORDER BY t.seq;
DROP TABLE transfers;
ALTER TABLE narrow_transfers RENAME TO transfers;
DROP TABLE holds;
ALTER TABLE numbered_holds RENAME TO holds;
CREATE INDEX holds_in_flight ON holds (n) WHERE in_flight > 0;
CREATE INDEX holds_expiring ON holds (expires) WHERE closed = 0 AND expires > 0;

-- The history follows the transfers: what is at or below the watermark is complete, what is above it is ignored.
CREATE TABLE indexed (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL CHECK (seq >= 0)
) STRICT;
INSERT INTO indexed (id, seq) SELECT 1, coalesce(max(seq), 0) FROM transfers;
CREATE TABLE transfer_ids (
    id  BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    seq INTEGER NOT NULL CHECK (seq > 0)
) STRICT, WITHOUT ROWID;
INSERT INTO transfer_ids SELECT id, seq FROM transfers ORDER BY id;
CREATE TABLE history (
    account INTEGER NOT NULL CHECK (account > 0),
    seq     INTEGER NOT NULL CHECK (seq > 0),
    debits  INTEGER NOT NULL CHECK (debits >= 0), -- the account's posted totals after this transfer
    credits INTEGER NOT NULL CHECK (credits >= 0),
    PRIMARY KEY (account, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO history
SELECT account, seq, sum(debits) OVER passed, sum(credits) OVER passed FROM (
    SELECT debit AS account, seq, amount AS debits, 0 AS credits FROM transfers
    UNION ALL SELECT credit, seq, 0, amount FROM transfers)
WINDOW passed AS (PARTITION BY account ORDER BY seq)
ORDER BY account, seq;

-- What was in flight to another node when the wallet crashed: did it arrive? Its money waits on the suspense account.
CREATE TABLE suspense (
    n            INTEGER PRIMARY KEY CHECK (n > 0),
    reference    BLOB    NOT NULL CHECK (length(reference) = 16),
    bearer       INTEGER NOT NULL REFERENCES accounts (n), -- gets it back when it is released
    counterparty INTEGER NOT NULL REFERENCES accounts (n), -- gets it when it is paid
    amount       INTEGER NOT NULL CHECK (amount > 0),
    batch        INTEGER NOT NULL CHECK (batch > 0),       -- of the recovery
    together     INTEGER NOT NULL CHECK (together > 0),    -- n of the first of those that are resolved together
    state        INTEGER NOT NULL CHECK (state IN (0, 1, 2)) -- open, released, paid
) STRICT;
CREATE INDEX suspense_open ON suspense (n) WHERE state = 0;
CREATE INDEX suspense_by_reference ON suspense (reference);
CREATE INDEX suspense_together ON suspense (together);

-- More kinds of entry, and longer ones.
CREATE TABLE longer_log (
    batch INTEGER NOT NULL CHECK (batch > 0),
    n     INTEGER NOT NULL CHECK (n > 0),
    -- asset, account opened, closed, limit, hold opened, closed, holds moved, hold opened without a reservation, suspended, suspense resolved
    kind  INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 10),
    body  BLOB    NOT NULL CHECK (length(body) BETWEEN 2 AND 65536),
    PRIMARY KEY (batch, n)
) STRICT, WITHOUT ROWID;
INSERT INTO longer_log SELECT batch, n, kind, body FROM ledger_log ORDER BY batch, n;
DROP TABLE ledger_log;
ALTER TABLE longer_log RENAME TO ledger_log;
CREATE INDEX batches_by_time ON batches (at);

-- Transfers with the ids of what they name. A transfer of packets has none of its own.
CREATE VIEW ledger_transfers AS
SELECT t.seq, t.id, t.batch, b.at, d.id AS debit, c.id AS credit, t.amount, d.ledger, t.code, t.reference, t.hold, t.packets
FROM transfers t JOIN accounts d ON d.n = t.debit JOIN accounts c ON c.n = t.credit JOIN batches b ON b.seq = t.batch;
