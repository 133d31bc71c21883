-- What the book adds up to: projections that the posting transaction keeps, and may change.

create table shards (
    shard smallint primary key,
    last_sequence bigint not null,      -- also the size of the shard's log
    decided_at timestamptz not null,    -- running maximum of accepted_at
    account_count int not null,         -- accounts are numbered 1, 2, 3, … in order of first use
    peaks bytea not null                -- the log's complete subtrees, the largest first
) with (fillfactor = 20);

create table nodes (                    -- complete subtrees of 2^level leaves, from level 8 on
    number bigint not null,
    shard smallint not null,
    level smallint not null,
    hash bytea not null,
    primary key (shard, level, number)
);

create table accounts (
    shard smallint not null,
    account_id int not null,
    entry_count int not null,
    counterparty int not null,
    owner bigint not null,              -- a club account or a party
    balance bigint not null,
    role text collate "C" not null,
    unit text collate "C" not null,
    primary key (shard, account_id),
    unique (shard, owner, role, unit, counterparty),
    check (role <> 'value' or balance >= 0),
    check (role <> 'debt' or balance <= 0)
) with (fillfactor = 80);
create index accounts_member on accounts (owner) where role = 'value';
create index accounts_positions on accounts (owner, role) where unit = 'IRR';

create table lots (
    lot bigint not null,                -- sequence of the command that opened it * 4096 + ordinal
    amount bigint not null check (amount > 0),
    cost_rial bigint not null check (cost_rial >= 0),
    remaining bigint not null check (remaining >= 0),
    cost_left bigint not null check (cost_left >= 0),
    held bigint not null default 0 check (held between 0 and remaining),
    lapsed bigint not null check (lapsed >= 0),
    available_from timestamptz not null,
    expires_at timestamptz,             -- null: never
    born_at timestamptz not null,       -- occurred_at of the sale
    parent bigint,                      -- a child is filled by the restored row of its command
    account_id int not null,
    issuer int not null,
    funder int not null,
    merchant int not null,              -- where it was earned, 0 where nowhere
    rule_version int not null,
    shard smallint not null,
    open boolean not null,              -- changes only when the lot empties: updates stay HOT
    unit text collate "C" not null,
    rule text not null,
    origin text collate "C" not null,
    primary key (shard, lot),
    check (open = (remaining > 0))
) with (fillfactor = 80);
create index lots_open on lots (shard, account_id) where open;
-- the second condition keeps a plan without statistics from reading an account's lots by this one
create index lots_due on lots (shard, expires_at, lot) where open and expires_at is not null;

create table originals (                -- what later commands did to an original
    shard smallint not null,
    name text collate "C" not null,
    sequence bigint not null,
    total_rial bigint not null,
    refunded_rial bigint not null check (refunded_rial between 0 and total_rial),
    refunded bigint[] not null,         -- by line, in the order of the original's lines
    is_full boolean not null,
    is_reversed boolean not null,
    verdict text collate "C" not null,
    primary key (shard, name)
) with (fillfactor = 80);

create function prepare_shard(a_shard int) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform prepare_range(a_shard, 0);
    insert into shards values (a_shard, 0, '1970-01-01T00:00:00Z', 0, '') on conflict do nothing;
end $$;

create function extend_ranges() returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    used record;
begin
    for used in select shard, last_sequence from shards loop
        -- the range after the one that will be reached five million numbers from now
        perform prepare_range(used.shard, (used.last_sequence + 5000000) / 10000000);
    end loop;
end $$;

select prepare_shard(number) from generate_series(0, 11) as number;

grant select, insert, update on shards, accounts, lots, originals to ledger;
grant select, insert on nodes to ledger;
revoke execute on function prepare_range(int, bigint), prepare_shard(int), extend_ranges() from public;
grant execute on function prepare_shard(int), extend_ranges() to ledger;
