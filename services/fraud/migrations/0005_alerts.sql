-- Names as the terminal-keyed stream saw them, for a while; and what was raised.

create table sightings (
    name text not null,
    shard int not null,
    terminal bigint not null,
    merchant int not null,
    account bigint not null,
    fingerprint text not null,
    seen_at timestamptz not null,
    number bigint generated always as identity,  -- order of arrival
    primary key (name, shard)
);
create index sightings_seen on sightings using brin (seen_at) with (pages_per_range = 32);

create table alerts (
    number bigint generated always as identity primary key,
    kind text not null,
    name text not null,
    terminal bigint not null,
    first jsonb not null,
    second jsonb not null,
    second_shard int not null,
    raised_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    unique (name, second_shard)
);

grant select, insert, delete on sightings to fraud;
grant select, insert on alerts to fraud;
