-- A restored wallet can't know what became of the payments that were on their way. They need somebody's review: nothing
-- sends them again. The table is made again, since only its CHECK says which states there are.
CREATE TABLE reviewable_payments (
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
    sent_amount      INTEGER NOT NULL CHECK (sent_amount BETWEEN 0 AND debit_amount), -- without what is in suspense
    delivered_amount INTEGER NOT NULL CHECK (delivered_amount >= 0),
    state            TEXT    NOT NULL CHECK (state IN ('sending', 'needs_review', 'completed', 'failed')),
    reason           TEXT    NOT NULL, -- why it failed or needs review, for the person
    created_at       INTEGER NOT NULL,
    ended_at         INTEGER,          -- NULL while sending and while it needs review
    returned         INTEGER NOT NULL DEFAULT 0 CHECK (returned IN (0, 1)) -- an admin ended its review
) STRICT, WITHOUT ROWID;
INSERT INTO reviewable_payments
SELECT id, user_id, account_id, receiver, receiver_name, rate, debit_amount, receive_amount, receive_code, receive_scale,
    sent_amount, delivered_amount, state, reason, created_at, ended_at, 0
FROM outgoing_payments ORDER BY id;
DROP TABLE outgoing_payments;
ALTER TABLE reviewable_payments RENAME TO outgoing_payments;
CREATE INDEX outgoing_payments_by_account ON outgoing_payments (account_id, created_at, id);
CREATE INDEX outgoing_payments_by_user ON outgoing_payments (user_id, created_at, id);
CREATE INDEX outgoing_payments_sending ON outgoing_payments (id) WHERE state = 'sending';
CREATE INDEX outgoing_payments_review ON outgoing_payments (id) WHERE state = 'needs_review';
