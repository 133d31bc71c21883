-- Who takes part: parties (legal entities), merchants (what a customer sees) and their branches.

create table parties (
    party int primary key check (party > 0),
    title_fa text not null,
    title_en text not null,
    legal_id text unique check (legal_id ~ '^[0-9]{11}$'),
    recorded_at timestamptz not null default now()
);

create table merchants (
    merchant int primary key check (merchant > 0),
    party int not null references parties,
    sector text not null,
    title_fa text not null,
    title_en text not null,
    title_key text not null,        -- both titles folded for search
    reference text unique,          -- what the merchant is called in a partner's files
    recorded_at timestamptz not null default now()
);
create index merchants_sector on merchants (sector, merchant);
create index merchants_title_key on merchants (title_key text_pattern_ops);
create index merchants_party on merchants (party);

create table branches (
    merchant int not null references merchants,
    branch int not null check (branch > 0),
    title_fa text not null,
    title_en text not null,
    recorded_at timestamptz not null default now(),
    primary key (merchant, branch)
);

-- the network is a party like any other, and the first (contracts.values.NETWORK_PARTY)
insert into parties (party, title_fa, title_en) values (1, 'پیوند', 'Peyvand');

grant select, insert, update on parties, merchants, branches to merchants;
