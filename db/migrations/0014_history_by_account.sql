-- A person's history is read from their accounts': two places less that each payment writes to.
DROP INDEX outgoing_payments_by_user;
DROP INDEX incoming_payments_by_user;
