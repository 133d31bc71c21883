-- Parties that are stopped at once, and opened again: every change, for ever, and what each shard
-- of the book made of it.

create table party_standings (
    change uuid primary key,                   -- the caller's name of the change
    party int not null references parties,
    version int not null check (version > 0),  -- of this party, without gaps
    stopped boolean not null,
    reason text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    name text not null unique,                 -- of the command that was sent to each shard
    shards int not null check (shards > 0),    -- how many it was sent to
    unique (party, version)
);

create table party_answers (
    name text not null references party_standings (name),
    shard int not null check (shard >= 0),
    booked boolean not null,                   -- false: declined
    code text not null,
    fa text not null,
    en text not null,
    answered_at timestamptz not null,
    primary key (name, shard)
);

grant select, insert on party_standings, party_answers to merchants;
