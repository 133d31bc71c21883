-- What fraud let through and the network then declined is taken out of windows and days again.

alter table decisions add column identifier_id text;   -- null: none, or counted in no live window
alter table decisions add column counted_rial bigint;  -- what windows took in; null: the same

create table withdrawals (          -- written by who hears outcomes, applied by the road's own poll
    shard int not null,
    name text not null,
    key text not null,              -- of windows; '' : declined before it was decided here
    series smallint not null,       -- 0 purchases, 1 redemptions, 2 undos
    at bigint not null,             -- the event as the windows keep it: microseconds, Rial, merchant
    amount_rial bigint not null,
    merchant int not null,
    heard_at timestamptz not null,  -- the ledger's decided_at
    applied boolean not null default false,
    primary key (shard, name, key)
);
create index withdrawals_open on withdrawals (shard, key) where not applied;
create index withdrawals_heard on withdrawals using brin (heard_at) with (pages_per_range = 32);

grant select, insert, update, delete on withdrawals to fraud;
