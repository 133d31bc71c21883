-- Accounts that are stopped at once, and opened again: every change, for ever, and what the book
-- made of it.

create table standings (
    change uuid primary key,                   -- the caller's name of the change
    account bigint not null references accounts,
    version int not null check (version > 0),  -- of this account, without gaps
    stopped boolean not null,
    reason text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    name text not null unique,                 -- of the command that was sent to the book
    booked boolean,                            -- null: no answer yet; false: declined
    code text not null default '',
    fa text not null default '',
    en text not null default '',
    answered_at timestamptz,
    unique (account, version)
);

grant select, insert on standings to members;
grant update (booked, code, fa, en, answered_at) on standings to members;
