-- The book: what was commanded, answered, entered and consumed. It is only ever added to:
-- the run role may select and insert, and triggers refuse the rest to everyone.
--
-- leaves is the log itself: one leaf a sequence number (decision 0011), packed some dozens to a row
-- (decision 0012). outcomes is the index of names for ever, so it is never partitioned. leaves,
-- entries and consumptions are partitioned by (shard, sequence): a range holds ten million sequence
-- numbers of one shard, so that an old range can move to cheaper storage as whole tables.
-- prepare_shard makes a shard's first range; a job calls extend_ranges, which makes the next range
-- once half of the last one is used. A row without a range fails loudly: there is no default one.

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

create table leaves (
    first bigint not null,              -- sequence of its first leaf
    decided_at timestamptz not null,    -- of its last leaf; never falls
    shard smallint not null,
    count smallint not null check (count > 0),
    digest bytea not null,              -- SHA-256 of packed
    packed bytea not null,              -- zstd frame: each leaf behind its length in 4 bytes
    primary key (shard, first)
) partition by range (shard, first);

create table entries (
    sequence bigint not null,
    amount bigint not null check (amount <> 0),
    balance bigint not null,            -- running balance of the account
    account_id int not null,
    account_sequence int not null,      -- 1, 2, 3, … in the account
    shard smallint not null,
    line smallint not null              -- 0, 1, 2, … in the command
) partition by range (shard, sequence);

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
    what text collate "C" not null
) partition by range (shard, sequence);

-- A range is one shard's, so its indexes need not hold the shard. Old ranges are read by number
-- through what stays small: entries and consumptions lie in the order of their numbers.
create function prepare_range(a_shard int, range_number bigint) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    size constant bigint := 10000000;
    parent text;
    part text;
begin
    foreach parent in array array['leaves', 'entries', 'consumptions'] loop
        part := format('%s_%s_%s', parent, a_shard, range_number);
        if to_regclass(part) is not null then
            continue;
        end if;
        execute format('create table %I (like %I including all)', part, parent);
        if parent = 'leaves' then
            -- packed already: kept in the row where it fits, and never packed again
            execute format('alter table %I alter packed set storage external', part);
            execute format('alter table %I set (toast_tuple_target = 8160)', part);
        else
            execute format(
                'create index on %I using brin (sequence) with (pages_per_range = 16)', part);
            execute format(
                case parent
                    when 'entries' then 'create unique index on %I (account_id, account_sequence)'
                    else 'create unique index on %I (lot, sequence, ordinal)'
                end, part);
        end if;
        execute format(
            'create trigger append_only before update or delete or truncate on %I '
            'for each statement execute function refuse_change()', part);
        -- attaching locks less than creating in place: posting goes on meanwhile
        execute format(
            'alter table %I attach partition %I for values from (%s, %s) to (%s, %s)',
            parent, part, a_shard, range_number * size, a_shard, (range_number + 1) * size);
    end loop;
end $$;

do $$
declare
    book text;
begin
    foreach book in array array['outcomes', 'leaves', 'entries', 'consumptions'] loop
        execute format(
            'create trigger append_only before update or delete or truncate on %I '
            'for each statement execute function refuse_change()', book);
        execute format('grant select, insert on %I to ledger', book);
    end loop;
end $$;
