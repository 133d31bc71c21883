-- Sessions of people who signed in, and their attempts to.

create table sessions (
    session uuid primary key,
    user_id uuid not null references users,
    version int not null check (version > 0),  -- rises with every change that is published
    sha256 text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),  -- the token itself is nowhere
    roles text[] not null,
    withheld text[] not null,               -- what a second factor would add
    device text not null,
    address text not null,
    opened_at timestamptz not null,
    used_at timestamptz not null,           -- within a quarter of the idle time
    idle_s int not null check (idle_s > 0),
    idle_ends_at timestamptz not null,
    ends_at timestamptz not null,
    ended_at timestamptz,
    ended_by text
);
create index sessions_user on sessions (user_id, session);

create table sign_in_attempts (             -- each counts as failed until it succeeds
    attempt bigint generated always as identity primary key,
    login_sha256 bytea not null,            -- of a login that exists or not
    address text not null,
    at timestamptz not null
);
create index sign_in_attempts_login on sign_in_attempts (login_sha256, at);
create index sign_in_attempts_address on sign_in_attempts (address, at);
create index sign_in_attempts_at on sign_in_attempts (at);

grant select, insert, update on sessions to identity;
grant select, insert, delete on sign_in_attempts to identity;
