-- Secrets of one-time codes (TOTP, RFC 6238), and codes for whoever lost them.

create table second_factors (
    factor uuid primary key,                -- the caller's name of it
    user_id uuid not null references users,
    sealed bytea not null,                  -- AES-256-GCM of the secret, bound to the user
    enrolled_at timestamptz not null,
    confirmed_at timestamptz,               -- null: nobody has shown a code of it yet
    last_step bigint not null default 0     -- of the last code that was taken: none is good twice
);
create unique index second_factors_confirmed on second_factors (user_id)
    where confirmed_at is not null;
create unique index second_factors_pending on second_factors (user_id) where confirmed_at is null;

create table recovery_codes (
    user_id uuid not null references users,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    used_at timestamptz,
    primary key (user_id, sha256)
);

grant select, insert, update, delete on second_factors, recovery_codes to identity;
