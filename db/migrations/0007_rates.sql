-- An exchange rate that an admin set: one whole unit of from_code buys numerator/denominator whole units of to_code, of which
-- the wallet keeps spread_bps hundredths of a percent. The newest row of two currencies counts, in either direction; the
-- older ones say what payments were made at. It is too old to be used from good_until on.
CREATE TABLE rates (
    id          INTEGER PRIMARY KEY,
    from_code   TEXT    NOT NULL CHECK (length(from_code) BETWEEN 2 AND 10),
    to_code     TEXT    NOT NULL CHECK (length(to_code) BETWEEN 2 AND 10 AND to_code <> from_code),
    numerator   INTEGER NOT NULL CHECK (numerator > 0),
    denominator INTEGER NOT NULL CHECK (denominator > 0),
    spread_bps  INTEGER NOT NULL CHECK (spread_bps BETWEEN 0 AND 9999),
    source      TEXT    NOT NULL CHECK (source IN ('admin')),
    set_at      INTEGER NOT NULL,
    good_until  INTEGER NOT NULL CHECK (good_until > set_at)
) STRICT;
CREATE INDEX rates_by_pair ON rates (min(from_code, to_code), max(from_code, to_code), id);
