-- One decision for each name a shard has seen; never changed, pruned after 400 days.

create table decisions (
    shard int not null,
    name text not null,
    kind text,                      -- null: the record could not be read
    account bigint not null,
    verdict text not null check (verdict in ('allow', 'hold', 'decline', 'refuse')),
    reasons jsonb,                  -- null: none
    findings jsonb,                 -- [rule, version, value] of every rule in force; null: none
    review_due_at timestamptz,
    case_id text,
    score double precision,         -- of a model; null: the rules decided alone
    model_version text,
    occurred_at timestamptz not null,
    accepted_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    primary key (shard, name)
);
create index decisions_accepted on decisions using brin (accepted_at) with (pages_per_range = 32);

grant select, insert, delete on decisions to fraud;
