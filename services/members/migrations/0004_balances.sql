-- What the ledger last said of each account; the truth stays there.

create table balances (
    account bigint primary key,
    shard int not null,
    sequence bigint not null,
    points bigint not null,
    credit_rial bigint not null,
    transactions_count bigint not null,
    last_transaction_at timestamptz
) with (fillfactor = 80);

grant select, insert, update on balances to members;
