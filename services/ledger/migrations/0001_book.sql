-- The book: what was commanded, answered, entered and consumed. It is only ever added to:
-- the run role may select and insert, and triggers refuse the rest to everyone.
--
-- outcomes is the index of names for ever, so it is never partitioned. bodies, entries and
-- consumptions are partitioned by (shard, sequence): a range holds ten million sequence numbers of
-- one shard, so that an old range can move to cheaper storage as whole tables. prepare_shard makes
-- a shard's first range; a job calls extend_ranges, which makes the next range once half of the
-- last one is used. A row without a range fails loudly: there is no default partition.

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the book is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;

create table outcomes (
    sequence bigint not null,
    shard smallint not null,
    name text collate "C" not null,
    fingerprint bytea,                  -- null: matches any (reversed before arrival)
    primary key (shard, name)
);

create table bodies (
    sequence bigint not null,
    decided_at timestamptz not null,
    shard smallint not null,
    status text collate "C" not null,
    code text collate "C" not null,
    command bytea not null,             -- the record as received
    answer bytea not null,              -- the bytes answered
    marked bytea,                       -- the answer of the original whose reversal came first
    primary key (shard, sequence)
) partition by range (shard, sequence);

create table entries (
    sequence bigint not null,
    amount bigint not null check (amount <> 0),
    balance bigint not null,            -- running balance of the account
    account_id int not null,
    account_sequence int not null,      -- 1, 2, 3, … in the account
    shard smallint not null,
    line smallint not null,             -- 0, 1, 2, … in the command
    primary key (shard, account_id, account_sequence, sequence)
) partition by range (shard, sequence);
create index entries_sequence on entries using brin (sequence) with (pages_per_range = 16);

create table consumptions (
    sequence bigint not null,
    lot bigint not null,
    amount bigint not null check (amount >= 0),
    cost_rial bigint not null check (cost_rial >= 0),
    claim_rial bigint not null check (claim_rial >= 0),
    fee_rial bigint not null check (fee_rial >= 0),
    original_sequence bigint not null,  -- of the row that a restore mirrors, else 0
    issuer int not null,
    acceptor int not null,              -- party where it happened, 0 where nowhere
    merchant int not null,
    shard smallint not null,
    ordinal smallint not null,
    original_ordinal smallint not null,
    what text collate "C" not null,
    primary key (shard, sequence, ordinal)
) partition by range (shard, sequence);

create table lots (
    lot bigint not null,                -- sequence of the command that opened it * 4096 + ordinal
    amount bigint not null check (amount > 0),
    cost_rial bigint not null check (cost_rial >= 0),
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
    unit text collate "C" not null,
    rule text not null,
    origin text collate "C" not null,
    primary key (shard, lot)
);

create function prepare_range(a_shard int, range_number bigint) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    size constant bigint := 10000000;
    parent text;
    part text;
begin
    foreach parent in array array['bodies', 'entries', 'consumptions'] loop
        part := format('%s_%s_%s', parent, a_shard, range_number);
        if to_regclass(part) is null then
            execute format('create table %I (like %I including all)', part, parent);
            execute format(
                'create trigger append_only before update or delete or truncate on %I '
                'for each statement execute function refuse_change()', part);
            -- attaching locks less than creating in place: posting goes on meanwhile
            execute format(
                'alter table %I attach partition %I for values from (%s, %s) to (%s, %s)',
                parent, part, a_shard, range_number * size, a_shard, (range_number + 1) * size);
        end if;
    end loop;
end $$;

do $$
declare
    book text;
begin
    foreach book in array array['outcomes', 'bodies', 'entries', 'consumptions', 'lots'] loop
        execute format(
            'create trigger append_only before update or delete or truncate on %I '
            'for each statement execute function refuse_change()', book);
        execute format('grant select, insert on %I to ledger', book);
    end loop;
end $$;
