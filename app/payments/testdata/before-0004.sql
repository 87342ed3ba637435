-- A database as the program made it before migration 0004.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE head (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    seq   INTEGER NOT NULL CHECK (seq >= 0),
    epoch INTEGER NOT NULL CHECK (epoch >= 1),
    at    INTEGER NOT NULL CHECK (at >= 0), -- unix microseconds of the last batch
    seal  BLOB    NOT NULL CHECK (length(seal) = 32) -- SHA-256 over the three
) STRICT;
INSERT INTO head VALUES(1,26,1,1795306080980905,X'ea31a0371f696113103940569dfd8e69cbcf50b22f33e2e7a0e0ce3802d73d61');
CREATE TABLE assets (
    ledger INTEGER PRIMARY KEY CHECK (ledger BETWEEN 1 AND 4294967295),
    code   TEXT    NOT NULL CHECK (length(code) BETWEEN 1 AND 32),
    scale  INTEGER NOT NULL CHECK (scale BETWEEN 0 AND 9),
    UNIQUE (code, scale)
) STRICT;
INSERT INTO assets VALUES(1,'USD',2);
INSERT INTO assets VALUES(2,'EUR',2);
INSERT INTO assets VALUES(3,'JPY',0);
INSERT INTO assets VALUES(4,'OLD',2);
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
INSERT INTO accounts VALUES(X'01a20094cabb764f8d7dfe39c21235ad',1,1,0,700,1500,0,10000,0);
INSERT INTO accounts VALUES(X'01a20094cabc7b9fb73512effb7f5b96',2,1,0,0,0,0,730,0);
INSERT INTO accounts VALUES(X'01a20094cabd77959c8de393db193cfa',1,1,0,0,0,0,1000,0);
INSERT INTO accounts VALUES(X'17c7361044405a289167da3ec1201347',1,4,0,0,0,700,0,0);
INSERT INTO accounts VALUES(X'3c6b0c449fe350de8df0a812e788855f',4,4,0,0,0,0,0,0);
INSERT INTO accounts VALUES(X'57bf2cae6e7552c6b5bb031b95f73818',1,2,100000000,0,0,0,800,0);
INSERT INTO accounts VALUES(X'584a3a312b1b50de8ab345a199b637cb',2,3,9223372036854775807,0,0,0,0,0);
INSERT INTO accounts VALUES(X'6a86b5f5238c5772994a7027b01c64d3',2,4,0,0,0,0,0,0);
INSERT INTO accounts VALUES(X'7080aa0e66805c96bc0febb1cf172954',1,3,9223372036854775807,0,10300,0,0,0);
INSERT INTO accounts VALUES(X'c4af76d504aa571ca1a39a7b92576ce7',4,3,9223372036854775807,0,0,0,0,0);
INSERT INTO accounts VALUES(X'cae04cb7c9495822a57d0abff50e3a37',3,2,100000000,0,0,0,0,0);
INSERT INTO accounts VALUES(X'cbfdc7bbd6dc5e1f8652be30311bf8d7',4,2,100000000,0,0,0,0,0);
INSERT INTO accounts VALUES(X'cea1e3f3ac7f5112aff1f6f0685c085e',2,2,100000000,0,730,0,0,0);
INSERT INTO accounts VALUES(X'd65f769a84095a18b9e25500ec77cbe9',3,3,9223372036854775807,0,0,0,0,0);
INSERT INTO accounts VALUES(X'f210518034b25988a803a736dcf662cf',3,4,0,0,0,0,0,0);
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
INSERT INTO transfers VALUES(1,X'01a20094cabc737a84f61dbdb39b0906',7,X'7080aa0e66805c96bc0febb1cf172954',X'01a20094cabb764f8d7dfe39c21235ad',10000,1,3,X'01a20094cabc737a84f61dbdb39b0906',NULL,1795306080956320);
INSERT INTO transfers VALUES(2,X'01a20094cabe74c3b8fecfaffa027618',10,X'7080aa0e66805c96bc0febb1cf172954',X'01a20094cabd77959c8de393db193cfa',300,1,3,X'01a20094cabe74c3b8fecfaffa027618',NULL,1795306080958390);
INSERT INTO transfers VALUES(3,X'01a20094cac176ccb00d08f615ea91db',13,X'01a20094cabb764f8d7dfe39c21235ad',X'57bf2cae6e7552c6b5bb031b95f73818',500,1,1,X'01a20094cabf7405be9166d6f2286fab',X'17c7361044405a289167da3ec1201347',1795306080961753);
INSERT INTO transfers VALUES(4,X'01a20094cac176d6ba7646fcba0ee2d5',13,X'cea1e3f3ac7f5112aff1f6f0685c085e',X'01a20094cabc7b9fb73512effb7f5b96',456,2,2,X'01a20094cabf7405be9166d6f2286fab',NULL,1795306080961753);
INSERT INTO transfers VALUES(5,X'01a20094cac67ba5b81365c8d4717d18',17,X'01a20094cabb764f8d7dfe39c21235ad',X'01a20094cabd77959c8de393db193cfa',700,1,1,X'01a20094cac47c63bc557e4fc521a5e3',X'17c7361044405a289167da3ec1201347',1795306080966972);
INSERT INTO transfers VALUES(6,X'01a20094cad47a83b869601f3de7d236',26,X'01a20094cabb764f8d7dfe39c21235ad',X'57bf2cae6e7552c6b5bb031b95f73818',300,1,1,X'01a20094cad27e90883bbcca26ce5157',X'17c7361044405a289167da3ec1201347',1795306080980905);
INSERT INTO transfers VALUES(7,X'01a20094cad47a8993bf10127c34d038',26,X'cea1e3f3ac7f5112aff1f6f0685c085e',X'01a20094cabc7b9fb73512effb7f5b96',274,2,2,X'01a20094cad27e90883bbcca26ce5157',NULL,1795306080980905);
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
INSERT INTO holds VALUES(X'01a20094cabf7405be9166d6f2286fab',X'01a20094cabb764f8d7dfe39c21235ad',X'17c7361044405a289167da3ec1201347',0,0,500,0,1);
INSERT INTO holds VALUES(X'01a20094cac47c63bc557e4fc521a5e3',X'01a20094cabb764f8d7dfe39c21235ad',X'17c7361044405a289167da3ec1201347',0,0,700,0,1);
INSERT INTO holds VALUES(X'01a20094cad27e90883bbcca26ce5157',X'01a20094cabb764f8d7dfe39c21235ad',X'17c7361044405a289167da3ec1201347',700,0,300,0,0);
CREATE TABLE ledger_log (
    batch INTEGER NOT NULL CHECK (batch > 0),
    n     INTEGER NOT NULL CHECK (n > 0),
    kind  INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 6), -- asset, account opened, closed, limit, hold opened, closed
    body  BLOB    NOT NULL CHECK (length(body) BETWEEN 6 AND 56),
    PRIMARY KEY (batch, n)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger_log VALUES(2,1,1,X'0000000102555344');
INSERT INTO ledger_log VALUES(2,2,2,X'57bf2cae6e7552c6b5bb031b95f738180000000100020000000005f5e100');
INSERT INTO ledger_log VALUES(2,3,2,X'7080aa0e66805c96bc0febb1cf1729540000000100037fffffffffffffff');
INSERT INTO ledger_log VALUES(2,4,2,X'17c7361044405a289167da3ec12013470000000100040000000000000000');
INSERT INTO ledger_log VALUES(3,1,1,X'0000000202455552');
INSERT INTO ledger_log VALUES(3,2,2,X'cea1e3f3ac7f5112aff1f6f0685c085e0000000200020000000005f5e100');
INSERT INTO ledger_log VALUES(3,3,2,X'584a3a312b1b50de8ab345a199b637cb0000000200037fffffffffffffff');
INSERT INTO ledger_log VALUES(3,4,2,X'6a86b5f5238c5772994a7027b01c64d30000000200040000000000000000');
INSERT INTO ledger_log VALUES(4,1,1,X'00000003004a5059');
INSERT INTO ledger_log VALUES(4,2,2,X'cae04cb7c9495822a57d0abff50e3a370000000300020000000005f5e100');
INSERT INTO ledger_log VALUES(4,3,2,X'd65f769a84095a18b9e25500ec77cbe90000000300037fffffffffffffff');
INSERT INTO ledger_log VALUES(4,4,2,X'f210518034b25988a803a736dcf662cf0000000300040000000000000000');
INSERT INTO ledger_log VALUES(5,1,1,X'00000004024f4c44');
INSERT INTO ledger_log VALUES(5,2,2,X'cbfdc7bbd6dc5e1f8652be30311bf8d70000000400020000000005f5e100');
INSERT INTO ledger_log VALUES(5,3,2,X'c4af76d504aa571ca1a39a7b92576ce70000000400037fffffffffffffff');
INSERT INTO ledger_log VALUES(5,4,2,X'3c6b0c449fe350de8df0a812e788855f0000000400040000000000000000');
INSERT INTO ledger_log VALUES(6,1,2,X'01a20094cabb764f8d7dfe39c21235ad0000000100010000000000000000');
INSERT INTO ledger_log VALUES(8,1,2,X'01a20094cabc7b9fb73512effb7f5b960000000200010000000000000000');
INSERT INTO ledger_log VALUES(9,1,2,X'01a20094cabd77959c8de393db193cfa0000000100010000000000000000');
INSERT INTO ledger_log VALUES(12,1,5,X'01a20094cabf7405be9166d6f2286fab01a20094cabb764f8d7dfe39c21235ad17c7361044405a289167da3ec120134700000000000001f4');
INSERT INTO ledger_log VALUES(14,1,6,X'01a20094cabf7405be9166d6f2286fab01a20094cabb764f8d7dfe39c21235ad17c7361044405a289167da3ec12013470000000000000000');
INSERT INTO ledger_log VALUES(16,1,5,X'01a20094cac47c63bc557e4fc521a5e301a20094cabb764f8d7dfe39c21235ad17c7361044405a289167da3ec120134700000000000002bc');
INSERT INTO ledger_log VALUES(18,1,6,X'01a20094cac47c63bc557e4fc521a5e301a20094cabb764f8d7dfe39c21235ad17c7361044405a289167da3ec12013470000000000000000');
INSERT INTO ledger_log VALUES(25,1,5,X'01a20094cad27e90883bbcca26ce515701a20094cabb764f8d7dfe39c21235ad17c7361044405a289167da3ec120134700000000000003e8');
CREATE TABLE batches (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    at        INTEGER NOT NULL CHECK (at > 0),
    transfers INTEGER NOT NULL CHECK (transfers >= 0),
    entries   INTEGER NOT NULL CHECK (entries >= 0), -- in the log
    hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO batches VALUES(2,1795306080947727,0,4,X'f51ca8ec5f2ef52ecdc97caaa1eaa684f51fea2a49c5d7654ef816a59373e294');
INSERT INTO batches VALUES(3,1795306080949121,0,4,X'bf47acd871a75cbd97d226903fdf59d9fca07ea62f6608cbf8e1f19fb8ea99b0');
INSERT INTO batches VALUES(4,1795306080952228,0,4,X'b90e096b3322d31351f96d188617f945a4e7e1f17b26ee0bcc4b2cf97c8a090c');
INSERT INTO batches VALUES(5,1795306080953669,0,4,X'bddfd525ecf60e3c903794fdc0551c8eab15fb12d89ebf29d4caa6be47db2f0b');
INSERT INTO batches VALUES(6,1795306080955664,0,1,X'5851f7df1bbc9b0da18e1eb60998b7517930d5e7897108907e8bad62b82d1993');
INSERT INTO batches VALUES(7,1795306080956320,1,0,X'fa1de0a6c4cdff41b7f216d023ff8613f0262ce58974d349e316bb3ae229d5ef');
INSERT INTO batches VALUES(8,1795306080956892,0,1,X'fc168cf68d9b3647c354477fbbf97099ab2718084c115ec578dab767a4bb39de');
INSERT INTO batches VALUES(9,1795306080957623,0,1,X'f0dcc2a0b32d2af772fe2b10a7e67faafcea3448c521446d2a237adf517eb21b');
INSERT INTO batches VALUES(10,1795306080958390,1,0,X'8f262a669319f9022a2d8fbd39cb5c39dd61e40a4968c3838fbe78d7369b333c');
INSERT INTO batches VALUES(12,1795306080960089,0,1,X'1df618b885d1bb4d57352ea0da65df6bcf9608ccb3dad88e3893208a820f25f8');
INSERT INTO batches VALUES(13,1795306080961753,2,0,X'c4a058fa8b5eb503c7d2454bc2450e184e9b805c6338b4e2e79626ccb49654d2');
INSERT INTO batches VALUES(14,1795306080962708,0,1,X'c0ae115c350504a1109d2957d1f74fb531ab59bf55eb276bd34c2b4177936f4d');
INSERT INTO batches VALUES(16,1795306080965570,0,1,X'dcdc53758dfdefbd6728166d154a01b1027db63e55b0896287415260b4e0d2a4');
INSERT INTO batches VALUES(17,1795306080966972,1,0,X'd2e82280a8ce229c41d32dc27b909478dcb2c9b274ac66f06b1331bb0d44dbb9');
INSERT INTO batches VALUES(18,1795306080968337,0,1,X'b9a999f52b7f17c4b09970c45fe6b172ccc092318d56189d26f523241e1f92ff');
INSERT INTO batches VALUES(25,1795306080979806,0,1,X'fddfdb45651c5af78375990cb2cff5ca4ac26149ea42074da1140dccab78e52e');
INSERT INTO batches VALUES(26,1795306080980905,2,0,X'f4bbd33a64dc1d93a6f90600b009aa1f63d065e2044f76d5b2b20365e09f3f65');
CREATE TABLE ledger_end (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    batch INTEGER NOT NULL CHECK (batch > 0), -- the last one
    seal  BLOB    NOT NULL CHECK (length(seal) = 32) -- SHA-256 over its hash
) STRICT;
INSERT INTO ledger_end VALUES(1,26,X'c88beb874b2f14ed3d20d3c30910b021e59b4ca217858fe714d1e4c6754d46e8');
CREATE TABLE users (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email         TEXT    NOT NULL UNIQUE, -- lower case
    name          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,        -- argon2id, PHC string format
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO users VALUES(X'01a20094cabb75bbb31f18509ab13478','ann@example.com','ann','',0);
INSERT INTO users VALUES(X'01a20094cabc7b299d94de25c2afdeaa','ben@example.com','ben','',0);
INSERT INTO users VALUES(X'01a20094cabd7753801a84c170f6bdb3','cat@example.com','cat','',0);
CREATE TABLE sessions (
    token_hash   BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id      BLOB    NOT NULL REFERENCES users (id),
    user_agent   TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE wallet_accounts (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id    BLOB    NOT NULL REFERENCES users (id),
    name       TEXT    NOT NULL,
    closed     INTEGER NOT NULL CHECK (closed IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO wallet_accounts VALUES(X'01a20094cabb764f8d7dfe39c21235ad',X'01a20094cabb75bbb31f18509ab13478','Everyday',0,1795306080935356);
INSERT INTO wallet_accounts VALUES(X'01a20094cabc7b9fb73512effb7f5b96',X'01a20094cabc7b299d94de25c2afdeaa','Everyday',0,1795306080935356);
INSERT INTO wallet_accounts VALUES(X'01a20094cabd77959c8de393db193cfa',X'01a20094cabd7753801a84c170f6bdb3','Everyday',0,1795306080935356);
CREATE TABLE pointers (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL UNIQUE, -- lower case
    user_id    BLOB    NOT NULL REFERENCES users (id),
    account_id BLOB    NOT NULL REFERENCES wallet_accounts (id),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO pointers VALUES(X'01a20094cabb79a3b326c00bb87175f9','ann',X'01a20094cabb75bbb31f18509ab13478',X'01a20094cabb764f8d7dfe39c21235ad',1795306080935356);
INSERT INTO pointers VALUES(X'01a20094cabc7d4d8661e01cc0963cda','ben',X'01a20094cabc7b299d94de25c2afdeaa',X'01a20094cabc7b9fb73512effb7f5b96',1795306080935356);
INSERT INTO pointers VALUES(X'01a20094cabd793293279deae5b95fa9','cat',X'01a20094cabd7753801a84c170f6bdb3',X'01a20094cabd77959c8de393db193cfa',1795306080935356);
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
INSERT INTO quotes VALUES(X'01a20094cabf7405be9166d6f2286fab',X'01a20094cabb75bbb31f18509ab13478',X'01a20094cabb764f8d7dfe39c21235ad','$localhost:3000/ben','ben','debit',500,'1 USD = 0.9137 EUR',500,456,'EUR',2,1795306080935356,1795306200935356);
INSERT INTO quotes VALUES(X'01a20094cac47c63bc557e4fc521a5e3',X'01a20094cabb75bbb31f18509ab13478',X'01a20094cabb764f8d7dfe39c21235ad','$localhost:3000/cat','cat','receive',700,'',700,700,'USD',2,1795306080935356,1795306200935356);
INSERT INTO quotes VALUES(X'01a20094cad27e90883bbcca26ce5157',X'01a20094cabb75bbb31f18509ab13478',X'01a20094cabb764f8d7dfe39c21235ad','$localhost:3000/ben','ben','debit',1000,'1 USD = 0.9137 EUR',1000,913,'EUR',2,1795306080935356,1795306200935356);
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
INSERT INTO outgoing_payments VALUES(X'01a20094cabf7405be9166d6f2286fab',X'01a20094cabb75bbb31f18509ab13478',X'01a20094cabb764f8d7dfe39c21235ad','$localhost:3000/ben','ben','1 USD = 0.9137 EUR',500,456,'EUR',2,500,456,'completed','',1795306080935356,1795306080935356);
INSERT INTO outgoing_payments VALUES(X'01a20094cac47c63bc557e4fc521a5e3',X'01a20094cabb75bbb31f18509ab13478',X'01a20094cabb764f8d7dfe39c21235ad','$localhost:3000/cat','cat','',700,700,'USD',2,700,700,'completed','',1795306080935356,1795306080935356);
INSERT INTO outgoing_payments VALUES(X'01a20094cad27e90883bbcca26ce5157',X'01a20094cabb75bbb31f18509ab13478',X'01a20094cabb764f8d7dfe39c21235ad','$localhost:3000/ben','ben','1 USD = 0.9137 EUR',1000,913,'EUR',2,300,274,'sending','',1795306080935356,NULL);
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
INSERT INTO incoming_payments VALUES(X'01a20094cabc737a84f61dbdb39b0906',X'01a20094cabb75bbb31f18509ab13478',X'01a20094cabb764f8d7dfe39c21235ad',NULL,'','Test money',10000,0,1795306080935356,1795306080935356);
INSERT INTO incoming_payments VALUES(X'01a20094cabe74c3b8fecfaffa027618',X'01a20094cabd7753801a84c170f6bdb3',X'01a20094cabd77959c8de393db193cfa',NULL,'','Test money',300,0,1795306080935356,1795306080935356);
INSERT INTO incoming_payments VALUES(X'01a20094cabf7405be9166d6f2286fab',X'01a20094cabc7b299d94de25c2afdeaa',X'01a20094cabc7b9fb73512effb7f5b96',X'01a20094cabc7d4d8661e01cc0963cda','ann','ann',456,1,1795306080935356,1795306080935356);
INSERT INTO incoming_payments VALUES(X'01a20094cac47c63bc557e4fc521a5e3',X'01a20094cabd7753801a84c170f6bdb3',X'01a20094cabd77959c8de393db193cfa',X'01a20094cabd793293279deae5b95fa9','ann','ann',700,1,1795306080935356,1795306080935356);
INSERT INTO incoming_payments VALUES(X'01a20094cad27e90883bbcca26ce5157',X'01a20094cabc7b299d94de25c2afdeaa',X'01a20094cabc7b9fb73512effb7f5b96',X'01a20094cabc7d4d8661e01cc0963cda','ann','ann',274,1,1795306080935356,1795306080935356);
CREATE INDEX holds_open ON holds (reference) WHERE closed = 0;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX wallet_accounts_by_user ON wallet_accounts (user_id);
CREATE INDEX pointers_by_user ON pointers (user_id);
CREATE INDEX pointers_by_account ON pointers (account_id);
CREATE INDEX quotes_by_expiry ON quotes (expires_at);
CREATE INDEX outgoing_payments_by_account ON outgoing_payments (account_id, created_at, id);
CREATE INDEX outgoing_payments_by_user ON outgoing_payments (user_id, created_at, id);
CREATE INDEX outgoing_payments_sending ON outgoing_payments (id) WHERE state = 'sending';
CREATE INDEX incoming_payments_by_account ON incoming_payments (account_id, created_at, id);
CREATE INDEX incoming_payments_by_user ON incoming_payments (user_id, created_at, id);
COMMIT;
PRAGMA user_version = 3;
