-- One-time tokens by which people set their password.

create table invitations (
    invitation uuid primary key,            -- the caller's name of it
    user_id uuid not null references users,
    sha256 text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),  -- the token itself is nowhere
    issued_by text not null,
    issued_at timestamptz not null,
    ends_at timestamptz not null,
    ended_at timestamptz,                   -- a newer one was issued
    accepted_at timestamptz
);
create index invitations_user on invitations (user_id, issued_at);

grant select, insert, update on invitations to identity;
