-- What somebody asks to be paid. How much of that arrived, the ledger counts: the account with the request's id, on the ledger of
-- authority of its asset, has a limit, which is the most that it takes, and 0 once it is cancelled.
CREATE TABLE payment_requests (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id      BLOB    NOT NULL REFERENCES users (id),
    account_id   BLOB    NOT NULL REFERENCES wallet_accounts (id),
    pointer_id   BLOB    NOT NULL REFERENCES pointers (id), -- under which payers know the person
    client_id    TEXT    NOT NULL, -- of the app that asked for it, empty for the person
    amount       INTEGER CHECK (amount > 0), -- NULL: whatever is paid
    description  TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER, -- NULL: never
    cancelled_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_requests_by_user ON payment_requests (user_id, created_at, id);

-- Which request a line was paid for.
ALTER TABLE incoming_payments ADD COLUMN request_id BLOB REFERENCES payment_requests (id);
CREATE INDEX incoming_payments_by_request ON incoming_payments (request_id, created_at, id) WHERE request_id IS NOT NULL;
