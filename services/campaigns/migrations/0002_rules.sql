-- Versions of bonus rules as they were put (the truth), and as the road reads them (a local table).

create table rule_versions (
    rule text not null,
    version int not null,
    effective_from timestamptz not null,
    body jsonb not null,            -- contracts.campaigns.RulePublished
    subject text not null,          -- who put it
    put_at timestamptz not null,
    primary key (rule, version)
);

create table live_rules (
    rule text not null,
    version int not null,
    body jsonb not null,
    primary key (rule, version)
);

create table rule_changes (         -- as programme_changes
    rule text not null,
    version int not null,
    revision bigint not null,
    primary key (rule, version)
);
create index rule_changes_revision on rule_changes (revision);

create table rule_revision (
    one boolean primary key default true check (one),
    revision bigint not null
);
insert into rule_revision (revision) values (0);

grant select, insert on rule_versions to campaigns;
grant select, insert, update, delete on live_rules, rule_changes, rule_revision to campaigns;
