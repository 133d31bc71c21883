-- The first output of every name on the road: a repeat gets it again. Prunable after 400 days.

create table decisions (
    shard int not null,
    name text not null,
    output bytea not null,          -- the encoded envelope as it went to ledger.commands
    decided_at timestamptz not null,  -- accepted_at of the first
    primary key (shard, name)
);
alter table decisions alter column output set storage external;  -- short: not worth compressing
create index decisions_decided_at on decisions using brin (decided_at);

grant select, insert, delete on decisions to campaigns;
