-- Local tables of what merchants publishes; written by kit's monotonic upsert alone.

create table programmes (
    merchant int not null,
    version int not null,
    body jsonb not null,            -- contracts.merchants.Programme
    primary key (merchant, version)
);

create table terms (
    version int primary key,
    body jsonb not null             -- contracts.merchants.Terms
);

-- What changed since a process last looked: every process keeps the tables in memory, and only
-- one of them hears a topic of one partition. merchant 0: terms.
create table programme_changes (
    merchant int not null,
    version int not null,
    revision bigint not null,
    primary key (merchant, version)
);
create index programme_changes_revision on programme_changes (revision);

create table programme_revision (
    one boolean primary key default true check (one),
    revision bigint not null
);
insert into programme_revision (revision) values (0);

grant select, insert, update, delete on programmes, terms, programme_changes, programme_revision
    to campaigns;
