-- Corrections by hand: what two people had the ledger add to an account, or take from it.

create table adjustments (
    adjustment uuid primary key,               -- the caller's name of it
    account bigint not null references accounts,
    version int not null check (version > 0),  -- of this account, without gaps
    direction text not null check (direction in ('add', 'take')),
    unit text not null check (unit in ('NP', 'MP', 'CR')),
    amount bigint not null check (amount > 0),
    issuer int not null check (issuer > 0),
    funder int not null check (funder >= 0),   -- 0 of what is taken: its lots know
    cost_rial bigint not null check (cost_rial >= 0),
    expires_at timestamptz,
    reason text not null,
    proposed_by text not null,
    approved_by text not null check (approved_by <> proposed_by),
    adjusted_at timestamptz not null,
    name text not null unique,                 -- of the command that was sent to the ledger
    unique (account, version)
);

grant select, insert on adjustments to members;
