-- Codes that are typed into a terminal, which then has its key without anybody carrying it there.

create table activation_codes (
    code_id uuid primary key,               -- the operator's name of it
    terminal int not null references terminals,
    sha256 text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),  -- the code itself is nowhere
    overlap_s int not null check (overlap_s >= 0),
    issued_by text not null,
    issued_at timestamptz not null,
    ends_at timestamptz not null,
    ended_at timestamptz,                   -- withdrawn, or another one took its place
    device uuid,                            -- that redeemed it: no other one can
    redeemed int not null default 0 check (redeemed >= 0)
);
create index activation_codes_open on activation_codes (terminal) where ended_at is null;

grant select, insert, update on activation_codes to merchants;
