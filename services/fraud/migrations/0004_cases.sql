-- A case for each held earning: opened by the road, decided by a reviewer, answered by the ledger.

create table cases (
    number bigint generated always as identity primary key,
    case_id text not null unique,
    shard int not null,
    name text not null,
    account bigint not null,
    member bigint not null,
    merchant int not null,
    terminal bigint not null,
    amount_rial bigint not null,
    reasons jsonb not null,
    opened_at timestamptz not null,
    due_at timestamptz not null,
    status text not null,
    heard text,                     -- the ledger's status of the earning
    verdict text check (verdict in ('release', 'cancel')),
    note text not null default '',
    reviewer text not null default '',
    decided_at timestamptz,
    answer_code text not null default '',
    answered_at timestamptz,
    recorded_at timestamptz not null default now(),
    unique (shard, name),
    check ((verdict is null) = (decided_at is null))
);
create index cases_status on cases (status, number);
create index cases_due on cases (due_at) where verdict is null and status = 'open';

grant select, insert, update on cases to fraud;
