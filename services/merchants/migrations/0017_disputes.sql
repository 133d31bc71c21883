-- Disputes of lines of closed windows, and the corrections they lead to; decision 0046.

create table clearing_corrections (         -- in the window that was open when it was decided
    correction uuid primary key,            -- the dispute that led to it: one each
    window_number int not null references clearing_windows,
    of_window int not null references clearing_windows,     -- the closed one, which stays as it is
    debtor int not null,                    -- gives back
    creditor int not null check (creditor <> debtor),
    amount_rial bigint not null check (amount_rial > 0),
    made_at timestamptz not null,
    check (of_window < window_number)
);
create index clearing_corrections_debtor on clearing_corrections (debtor, window_number);
create index clearing_corrections_creditor on clearing_corrections (creditor, window_number);
create index clearing_corrections_window on clearing_corrections (window_number);

create table clearing_correction_payments ( -- that a correction was paid, with its whole pair
    correction uuid primary key references clearing_corrections,
    window_number int not null references clearing_windows,
    paid_at timestamptz not null
);
create index clearing_correction_payments_window on clearing_correction_payments (window_number);

-- A window that was cut waits for whoever adds to it, and whoever comes later finds it not open.
create function refuse_window_not_open() returns trigger language plpgsql as $$
begin
    perform from clearing_windows
        where window_number = new.window_number and state = 'open' for share;
    if not found then
        raise exception 'window % is not open', new.window_number
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger into_open_window before insert on clearing_corrections
    for each row execute function refuse_window_not_open();
create trigger into_open_window before insert on clearing_correction_payments
    for each row execute function refuse_window_not_open();

-- Corrections are a part of positions: due to the party, less what is due from it.
alter table clearing_positions add corrections_rial numeric(30, 0) not null default 0;
alter table clearing_positions drop constraint clearing_positions_check;
alter table clearing_positions add constraint clearing_positions_check
    check (position_rial = claims_rial - claims_reversed_rial
        - dues_rial + dues_reversed_rial - fee_rial + corrections_rial);
create or replace function refuse_unbalanced_positions() returns trigger language plpgsql as $$
begin
    if exists (
        select from added group by window_number
        having sum(position_rial) <> 0 or sum(fee_rial) <> 0 or sum(paid_rial) <> 0
            or sum(closing_rial) <> 0 or sum(corrections_rial) <> 0
    ) then
        raise exception 'positions of a window do not sum to zero'
            using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;

create table disputes (
    dispute uuid primary key,
    number bigint generated always as identity unique,      -- the order of pages
    window_number int not null references clearing_windows,
    opener int not null references parties,
    respondent int not null references parties,
    side text not null check (side in ('due', 'claim')),    -- of the line, on the opener's statement
    amount_rial bigint not null check (amount_rial > 0),
    reason text not null
        check (reason in ('not-our-sale', 'wrong-amount', 'duplicate', 'reversed-later', 'other')),
    text text not null,
    transactions text[] not null,
    opened_at timestamptz not null,
    version int not null check (version > 0),               -- rises with every step
    state text not null
        check (state in ('open', 'unanswered', 'accepted', 'partly-accepted', 'rejected',
            'escalated', 'upheld', 'partly-upheld', 'dismissed', 'closed', 'withdrawn')),
    due_at timestamptz,                     -- until when the present state waits for a party
    accepted_rial bigint,                   -- what the respondent answered
    correction_rial bigint,                 -- what the end came to; of a live one, null
    check (opener <> respondent),
    check (accepted_rial between 0 and amount_rial),
    check (correction_rial between 0 and amount_rial),
    check ((correction_rial is null)
        = (state in ('open', 'unanswered', 'partly-accepted', 'rejected', 'escalated'))),
    check ((due_at is null) = (state not in ('open', 'partly-accepted', 'rejected')))
);
create index disputes_line on disputes (window_number, opener, respondent, side);
create index disputes_opener on disputes (opener, number);
create index disputes_respondent on disputes (respondent, number);
create index disputes_due on disputes (due_at) where due_at is not null;

create table dispute_steps (                -- every state that a dispute reached, for ever
    dispute uuid not null references disputes,
    version int not null check (version > 0),
    state text not null,
    at timestamptz not null,
    by text not null,                       -- who; 'schedule': a deadline passed
    approved_by text not null,              -- the second person of what two decided
    party int,                              -- for whom; null: the network as the judge
    rial bigint,                            -- opened for, accepted, upheld
    note text not null,
    primary key (dispute, version)
);

create table dispute_files (                -- evidence
    dispute uuid not null references disputes,
    file uuid not null,
    party int not null,
    title text not null,
    media_type text not null
        check (media_type in ('application/pdf', 'image/png', 'image/jpeg')),
    sha256 bytea not null check (length(sha256) = 32),
    size_bytes int not null check (size_bytes = length(content)),
    content bytea not null,
    sent_at timestamptz not null,
    sent_by text not null,
    primary key (dispute, file)
);
alter table dispute_files alter content set storage external;   -- it is compressed already

grant select, insert on clearing_corrections, clearing_correction_payments, dispute_steps,
    dispute_files to merchants;
grant select, insert, update (version, state, due_at, accepted_rial, correction_rial)
    on disputes to merchants;
