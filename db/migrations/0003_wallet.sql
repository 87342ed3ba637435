-- A person's account: its id is the ledger account's, which is written later in the same batch. A key that is
-- deferred until COMMIT would fail everybody's batch, so it is 'check' that compares the two tables.
CREATE TABLE wallet_accounts (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id    BLOB    NOT NULL REFERENCES users (id),
    name       TEXT    NOT NULL,
    closed     INTEGER NOT NULL CHECK (closed IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX wallet_accounts_by_user ON wallet_accounts (user_id);

-- A payment pointer: $host/name pays the account it names.
CREATE TABLE pointers (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL UNIQUE, -- lower case
    user_id    BLOB    NOT NULL REFERENCES users (id),
    account_id BLOB    NOT NULL REFERENCES wallet_accounts (id),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pointers_by_user ON pointers (user_id);
CREATE INDEX pointers_by_account ON pointers (account_id);

CREATE TABLE quotes (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id        BLOB    NOT NULL REFERENCES users (id),
    account_id     BLOB    NOT NULL REFERENCES wallet_accounts (id),
    receiver       TEXT    NOT NULL, -- payment pointer, $ form
    receiver_name  TEXT    NOT NULL, -- public name, empty when the other wallet tells none
    fixed          TEXT    NOT NULL CHECK (fixed IN ('debit', 'receive')), -- the side that the person chose
    asked_amount   INTEGER NOT NULL CHECK (asked_amount > 0),              -- and what they asked for there
    rate           TEXT    NOT NULL, -- in words, empty within a currency
    debit_amount   INTEGER NOT NULL CHECK (debit_amount > 0),
    receive_amount INTEGER NOT NULL CHECK (receive_amount > 0),
    receive_code   TEXT    NOT NULL,
    receive_scale  INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX quotes_by_expiry ON quotes (expires_at);

CREATE TABLE outgoing_payments (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16), -- the quote's: it is spent once
    user_id          BLOB    NOT NULL REFERENCES users (id),
    account_id       BLOB    NOT NULL REFERENCES wallet_accounts (id),
    receiver         TEXT    NOT NULL,
    receiver_name    TEXT    NOT NULL,
    rate             TEXT    NOT NULL, -- in words, empty within a currency
    debit_amount     INTEGER NOT NULL CHECK (debit_amount > 0),
    receive_amount   INTEGER NOT NULL CHECK (receive_amount > 0),
    receive_code     TEXT    NOT NULL,
    receive_scale    INTEGER NOT NULL,
    sent_amount      INTEGER NOT NULL CHECK (sent_amount BETWEEN 0 AND debit_amount),
    delivered_amount INTEGER NOT NULL CHECK (delivered_amount >= 0),
    state            TEXT    NOT NULL CHECK (state IN ('sending', 'completed', 'failed')),
    reason           TEXT    NOT NULL, -- why it failed, for the person
    created_at       INTEGER NOT NULL,
    ended_at         INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX outgoing_payments_by_account ON outgoing_payments (account_id, created_at, id);
CREATE INDEX outgoing_payments_by_user ON outgoing_payments (user_id, created_at, id);
CREATE INDEX outgoing_payments_sending ON outgoing_payments (id) WHERE state = 'sending';

-- What arrived. A payment between two people of this wallet has one id on both sides.
CREATE TABLE incoming_payments (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id         BLOB    NOT NULL REFERENCES users (id),
    account_id      BLOB    NOT NULL REFERENCES wallet_accounts (id),
    pointer_id      BLOB    REFERENCES pointers (id), -- NULL for a deposit
    sender          TEXT    NOT NULL, -- payment pointer, empty when unknown
    sender_name     TEXT    NOT NULL,
    received_amount INTEGER NOT NULL CHECK (received_amount > 0),
    packets         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX incoming_payments_by_account ON incoming_payments (account_id, created_at, id);
CREATE INDEX incoming_payments_by_user ON incoming_payments (user_id, created_at, id);
