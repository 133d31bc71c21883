-- Settlement: what parties pay for closed windows, through the network's account; decision 0043.

create table settlements (                  -- of a window, with all that is unpaid from before it
    window_number int primary key references clearing_windows,
    state text not null
        check (state in ('proposed', 'collecting', 'paying', 'completed', 'withdrawn')),
    minimum_rial bigint not null check (minimum_rial > 0),
    proposed_by text not null,
    proposed_at timestamptz not null,
    approved_by text check (approved_by <> proposed_by),    -- two people, always
    approved_at timestamptz,
    completed_at timestamptz,
    check (state in ('proposed', 'withdrawn') or approved_by is not null),
    check ((approved_by is null) = (approved_at is null))
);

create table settlement_parties (
    window_number int not null references settlements,
    party int not null,
    target_rial bigint not null,            -- above zero: the party is paid; below: it pays
    moved_rial bigint not null default 0,   -- paid to it, less what it paid
    excluded boolean not null default false check (not excluded or target_rial = 0),
    primary key (window_number, party)
);

create function refuse_unbalanced_targets() returns trigger language plpgsql as $$
begin
    if exists (
        select from settlement_parties where window_number in (select window_number from changed)
        group by window_number having sum(target_rial) <> 0
    ) then
        raise exception 'payments of a settlement do not sum to zero'
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger balanced after insert on settlement_parties
    referencing new table as changed
    for each statement execute function refuse_unbalanced_targets();
create trigger still_balanced after update on settlement_parties
    referencing new table as changed
    for each statement execute function refuse_unbalanced_targets();

create table settlement_pairs (             -- of which the ledger was told that they are paid
    window_number int not null references settlements,
    debtor int not null,
    creditor int not null check (debtor < creditor),    -- both ways at once
    sent_at timestamptz not null,
    primary key (window_number, debtor, creditor)
);
create index settlement_pairs_pair on settlement_pairs (debtor, creditor, window_number);

create table settlement_bookings (          -- the ledger's commands
    window_number int not null references settlements,
    name text not null,
    shard int not null,
    amount_rial bigint not null check (amount_rial > 0),
    primary key (name, shard)
);
create index settlement_bookings_window on settlement_bookings (window_number);

create table payment_instructions (
    reference text primary key,             -- end-to-end id at the bank
    window_number int not null references settlements,
    party int not null,
    direction text not null check (direction in ('collection', 'payout')),
    batch int not null check (batch > 0),   -- file of payouts; of collections, the approval's
    place int not null check (place > 0),   -- within the batch
    method text not null check (method in ('paya', 'satna', 'collection')),
    amount_rial bigint not null check (amount_rial > 0),
    sheba text not null default '',         -- to pay to; of a collection, none
    name text not null,
    state text not null default 'instructed'
        check (state in ('instructed', 'paid', 'rejected', 'returned', 'cancelled')),
    reason text not null default '',        -- the bank's
    instructed_at timestamptz not null,
    answered_at timestamptz,
    unique (window_number, direction, batch, place)
);
create index payment_instructions_party on payment_instructions (window_number, party);

create table bank_answers (                 -- files of the bank, as they were sent here
    answer uuid primary key,
    window_number int not null references settlements,
    format text not null check (format in ('pain.002', 'csv')),
    content text not null,
    changed_count int not null,             -- instructions that it changed
    sent_by text not null,
    sent_at timestamptz not null
);

create table sheba_changes (                -- where a party is paid from its approval on
    change uuid primary key,
    party int not null references parties,
    sheba text not null,
    reason text not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    approved_by text check (approved_by <> proposed_by),
    approved_at timestamptz,
    check ((approved_by is null) = (approved_at is null))
);
create index sheba_changes_party on sheba_changes (party, approved_at);

grant select, insert, update on settlements, settlement_parties, payment_instructions,
    sheba_changes to merchants;
grant select, insert on settlement_pairs, settlement_bookings, bank_answers to merchants;
