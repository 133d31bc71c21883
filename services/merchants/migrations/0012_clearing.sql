-- Clearing: settlement windows, what each pair of parties came to owe in each, net positions.
-- All of it is counted from ledger.entries; decision 0041.

create table clearing_windows (
    window_number int primary key check (window_number > 0),  -- 1, 2, 3, … without a gap
    state text not null check (state in ('open', 'closing', 'closed')),
    opened_at timestamptz not null,         -- when the window before was cut
    cut_at timestamptz,                     -- when its markers were sent
    cut_by text,                            -- who cut it; 'schedule': the time of day
    shards int check (shards > 0),          -- how many have to answer
    closed_at timestamptz,                  -- decision time of the last marker
    outcomes_count bigint,                  -- the sums of a closed window
    entries_count bigint,
    claims_rial numeric(30, 0),
    reversed_rial numeric(30, 0),
    fee_rial numeric(30, 0),                -- the network's
    paid_rial numeric(30, 0),
    net_rial numeric(30, 0),                -- what changes hands: the positions above zero
    check ((state = 'open') = (cut_at is null)),
    check ((cut_at is null) = (cut_by is null) and (cut_at is null) = (shards is null)),
    check ((state = 'closed') = (closed_at is not null)),
    check (num_nulls(closed_at, outcomes_count, entries_count, claims_rial, reversed_rial,
        fee_rial, paid_rial, net_rial) in (0, 8))
) with (fillfactor = 80);
create unique index clearing_windows_open on clearing_windows (state) where state = 'open';

create table clearing_progress (            -- how far each shard was counted
    shard int primary key,
    window_number int not null,             -- the one that its next outcome falls into
    first_sequence bigint not null,         -- of that window here
    sequence bigint not null,               -- the last that was counted
    outcomes_count bigint not null          -- of that window here
) with (fillfactor = 50);

create table clearing_markers (             -- where each window ends on each shard
    window_number int not null,
    shard int not null,
    first_sequence bigint not null,
    last_sequence bigint not null,          -- the marker's own
    outcomes_count bigint not null,
    decided_at timestamptz not null,
    primary key (window_number, shard)
);

create table clearing_entries (             -- what one command changed between two parties
    window_number int not null,
    debtor int not null,
    creditor int not null,
    shard int not null,
    sequence bigint not null,
    name text not null,
    command text not null,
    decided_at timestamptz not null,
    claim_rial bigint not null,             -- below zero: a reversal
    fee_rial bigint not null,
    paid_rial bigint not null,
    own_discount_rial bigint not null,
    released_rial bigint not null,
    primary key (window_number, debtor, creditor, shard, sequence)
);

create table clearing_pairs (               -- the sums of these
    window_number int not null,
    debtor int not null,
    creditor int not null,
    shard int not null,
    entries_count bigint not null check (entries_count > 0),
    claims_rial numeric(30, 0) not null check (claims_rial >= 0),
    reversed_rial numeric(30, 0) not null check (reversed_rial >= 0),
    fee_rial numeric(30, 0) not null,
    paid_rial numeric(30, 0) not null,
    own_discount_rial numeric(30, 0) not null,
    released_rial numeric(30, 0) not null,
    primary key (window_number, debtor, creditor, shard)
) with (fillfactor = 80);
create index clearing_pairs_creditor on clearing_pairs (window_number, creditor, debtor);

create table clearing_positions (           -- of a closed window, one a party
    window_number int not null references clearing_windows,
    party int not null,
    opening_rial numeric(30, 0) not null,   -- above zero: owed to the party
    claims_rial numeric(30, 0) not null,    -- due to it
    claims_reversed_rial numeric(30, 0) not null,
    dues_rial numeric(30, 0) not null,      -- due from it
    dues_reversed_rial numeric(30, 0) not null,
    fee_rial numeric(30, 0) not null,       -- due from it; of the network: less what others owe
    position_rial numeric(30, 0) not null
        check (position_rial = claims_rial - claims_reversed_rial
            - dues_rial + dues_reversed_rial - fee_rial),
    paid_rial numeric(30, 0) not null,      -- paid to it, less what it paid
    closing_rial numeric(30, 0) not null
        check (closing_rial = opening_rial + position_rial - paid_rial),
    primary key (window_number, party)
);

create function refuse_unbalanced_positions() returns trigger language plpgsql as $$
begin
    if exists (
        select from added group by window_number
        having sum(position_rial) <> 0 or sum(fee_rial) <> 0 or sum(paid_rial) <> 0
            or sum(closing_rial) <> 0
    ) then
        raise exception 'positions of a window do not sum to zero'
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger balanced after insert on clearing_positions
    referencing new table as added
    for each statement execute function refuse_unbalanced_positions();

grant select, insert, update on clearing_windows, clearing_progress, clearing_pairs to merchants;
grant select, insert on clearing_markers, clearing_entries, clearing_positions to merchants;
