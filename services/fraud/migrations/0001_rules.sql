-- Versions of rules, never changed; the rulebook's revision tells the road that there is a new one.

create table rule_versions (
    rule text not null,
    version int not null,
    effective_from timestamptz not null,
    body jsonb not null,
    author text not null,
    recorded_at timestamptz not null default now(),
    primary key (rule, version)
);

create table rulebook (
    only_row boolean primary key default true check (only_row),
    revision bigint not null
);
insert into rulebook (revision) values (1);

grant select, insert on rule_versions to fraud;
grant select, update on rulebook to fraud;
