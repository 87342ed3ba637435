-- A payment that an app had the wallet make under an agreement, and what it uses of that: reserved when it begins, in the
-- agreement's asset, and at its end spent in proportion to what was sent. What comes back goes to the interval's account
-- from which it was reserved.
CREATE TABLE charges (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16), -- the outgoing payment's
    agreement_id    BLOB    NOT NULL REFERENCES agreements (id),
    idempotency_key TEXT    NOT NULL,                              -- the app's
    body            BLOB    NOT NULL CHECK (length(body) = 32),    -- SHA-256 of what it asked
    authority       BLOB    NOT NULL CHECK (length(authority) = 16), -- the interval's account
    asset_code      TEXT    NOT NULL,                              -- the agreement's
    asset_scale     INTEGER NOT NULL,
    reserved_amount INTEGER NOT NULL CHECK (reserved_amount > 0),  -- in that asset
    spent_amount    INTEGER CHECK (spent_amount BETWEEN 0 AND reserved_amount), -- of it; NULL until the payment has ended
    settled_amount  INTEGER NOT NULL DEFAULT 0 CHECK (settled_amount >= 0), -- in the account's asset: what was in suspense and isn't any more
    description     TEXT    NOT NULL,                              -- what it is for, in the app's words, or empty
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX charges_by_key ON charges (agreement_id, idempotency_key);
CREATE INDEX charges_on_the_way ON charges (agreement_id) WHERE spent_amount IS NULL;
CREATE INDEX charges_by_agreement ON charges (agreement_id, created_at, id);

-- What the packets of an agreement's own link sent: a line for each connection to somebody here, and for each day and peer
-- where they left this wallet.
CREATE TABLE streams (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    agreement_id BLOB    NOT NULL REFERENCES agreements (id),
    user_id      BLOB    NOT NULL REFERENCES users (id),
    account_id   BLOB    NOT NULL REFERENCES wallet_accounts (id),
    reference    BLOB    NOT NULL CHECK (length(reference) = 16), -- of its transfers: the connection here, the agreement elsewhere
    pointer_id   BLOB    REFERENCES pointers (id), -- who was paid, here
    peer         BLOB    REFERENCES peers (id),    -- to which other node it went
    sent_amount  INTEGER NOT NULL CHECK (sent_amount > 0), -- in the account's asset
    used_amount  INTEGER NOT NULL CHECK (used_amount >= 0), -- in the agreement's, without what a crash left in doubt
    packets      INTEGER NOT NULL CHECK (packets >= 0),
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    CHECK ((pointer_id IS NULL) <> (peer IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX streams_by_user ON streams (user_id, created_at, id);
CREATE INDEX streams_by_account ON streams (account_id, created_at, id);
CREATE INDEX streams_by_agreement ON streams (agreement_id, created_at, id);
CREATE INDEX streams_by_reference ON streams (reference);
