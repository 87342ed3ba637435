-- Payments to other wallets. One whose receiver is to get a certain amount ends when that has arrived, though some of the
-- debit is left. How many packets were fulfilled bounds what rounding took. Of what is in doubt the answers were lost: it
-- came back to the payer, and is never sent again, since it may have arrived.
ALTER TABLE outgoing_payments ADD COLUMN fixed TEXT NOT NULL DEFAULT 'debit' CHECK (fixed IN ('debit', 'receive'));
ALTER TABLE outgoing_payments ADD COLUMN packets INTEGER NOT NULL DEFAULT 0 CHECK (packets >= 0);
ALTER TABLE outgoing_payments ADD COLUMN doubted_amount INTEGER NOT NULL DEFAULT 0 CHECK (doubted_amount >= 0); -- of the debit

-- What earlier payments sent was a packet with each transfer.
UPDATE outgoing_payments SET packets = sent.packets
FROM (SELECT t.reference, d.id AS account, count(*) AS packets FROM transfers t JOIN accounts d ON d.n = t.debit JOIN accounts c ON c.n = t.credit
    WHERE d.code = 1 AND c.code <> 5 GROUP BY t.reference, t.debit) AS sent
WHERE sent.reference = outgoing_payments.id AND sent.account = outgoing_payments.account_id;
