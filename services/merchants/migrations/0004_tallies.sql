-- What ledger.entries tells about each merchant's days; positions stay in the ledger.

create table tallies (
    merchant int not null,
    day date not null,                          -- of Tehran, by occurred_at
    transactions_count bigint not null,
    amount_rial numeric(30, 0) not null,
    refunds_count bigint not null,
    refunded_rial numeric(30, 0) not null,
    earned_points numeric(30, 0) not null,
    redeemed_points numeric(30, 0) not null,
    returned_points numeric(30, 0) not null,    -- clawed back or cancelled
    restored_points numeric(30, 0) not null,
    primary key (merchant, day)
) with (fillfactor = 80);

create table tally_progress (                   -- the last outcome of each shard that was counted
    shard int primary key,
    sequence bigint not null
) with (fillfactor = 50);

grant select, insert, update on tallies, tally_progress to merchants;
