-- A rate that an admin took back: from then on its two currencies are exchanged at what follows from the others.
CREATE TABLE removed_rates (
    rate       INTEGER PRIMARY KEY REFERENCES rates (id),
    removed_at INTEGER NOT NULL
) STRICT;
