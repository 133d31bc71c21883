-- The house of a shard: who may do what, what is installed, cards, settlement. All of it follows
-- from the commands in the log.

alter table shards
    add has_standings boolean not null default false,  -- false: no account or party was ever frozen
    add window_closed int not null default 0;          -- the last settlement window, 1, 2, 3, …

alter table accounts add constraint accounts_budget_check check (role <> 'budget' or balance >= 0);
create index accounts_payables on accounts (shard) where role = 'payable';
create index accounts_debts on accounts (shard, counterparty) where role = 'debt';

create table standings (
    shard smallint not null,
    is_party boolean not null,
    number bigint not null,             -- a party, or a club account
    standing text collate "C" not null,
    sequence bigint not null,           -- of the command that set it last
    primary key (shard, is_party, number)
);

create table terms (
    shard smallint not null,
    kind text collate "C" not null,
    id text collate "C" not null,
    version int not null,
    numerator bigint not null check (numerator >= 0),
    denominator bigint not null check (denominator > 0),
    accepted_by int[] not null,         -- parties, ascending
    sequence bigint not null,
    primary key (shard, kind, id, version)
);

create table cards (
    shard smallint not null,
    account bigint not null,
    issuer int not null,
    sequence bigint not null,           -- of its activation
    primary key (shard, account)
);

create table windows (
    shard smallint not null,
    closed int not null check (closed > 0),
    sequence bigint not null,           -- the cut: what is booked up to here belongs to the window
    primary key (shard, closed)
);

create table positions (                -- what each pair came to owe until a window's cut
    shard smallint not null,
    debtor int not null,
    creditor int not null,
    closed int not null,                -- window
    reached_rial bigint not null,       -- settled or not; below zero: owed back
    primary key (shard, debtor, creditor, closed)
);

create table settlements (              -- what each pair's payable was settled by so far
    shard smallint not null,
    debtor int not null,
    creditor int not null,
    settled_rial bigint not null,       -- less what was paid back
    closed int not null,                -- the last window that was paid for
    sequence bigint not null,           -- of the last payment
    primary key (shard, debtor, creditor)
);

grant select, insert, update on standings, settlements to ledger;
grant select, insert on terms, cards, windows, positions to ledger;
