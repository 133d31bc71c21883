-- People, the club accounts they share, what they agreed to. Personal data is sealed under a key
-- per person; that key is wrapped by a master key that the database never sees.

create sequence member_numbers as bigint start 1;
create sequence account_numbers as bigint start 1000001;

create table accounts (
    account bigint primary key,
    shard int not null check (shard >= 0),  -- assigned when opened; nobody recomputes it
    opened_at timestamptz not null,
    recorded_at timestamptz not null default now()
);

create table members (
    member bigint primary key,
    account bigint not null references accounts,
    version int not null check (version > 0),   -- of the contact that is published
    wrapped_key bytea not null,                 -- nonce and AES-256-GCM of the person's data key
    sealed bytea not null,                      -- nonce and AES-256-GCM of mobile and name under it
    locale text not null check (locale in ('fa', 'en')),
    enrolled_at timestamptz not null,
    recorded_at timestamptz not null default now()
) with (fillfactor = 90);
create index members_account on members (account);

-- no foreign key: written with the member in one statement set, and never deleted by the room
create table consents (                         -- one row each time someone was asked
    member bigint not null,
    given_at timestamptz not null,
    wording text not null,                      -- version of the text that was shown
    terms boolean not null,
    receipts boolean not null,
    marketing boolean not null,
    request_id uuid,                            -- the caller's; null at enrolment
    primary key (member, given_at)
);
create unique index consents_request on consents (request_id) where request_id is not null;

grant usage on sequence member_numbers, account_numbers to members;
grant select, insert on accounts, consents to members;
grant select, insert, update on members to members;
