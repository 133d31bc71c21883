-- What members show at a till, known by keyed digest only, and whom each means from when on.

create table identifiers (
    identifier_id uuid primary key,
    digest bytea not null unique check (length(digest) = 32),
    kind text not null,
    last4 text not null,
    version int not null check (version > 0),
    blocked_at timestamptz,
    sealed bytea,               -- QR text under its first holder's data key, to be shown again
    issued_at timestamptz not null,
    recorded_at timestamptz not null default now()
) with (fillfactor = 90);

-- no foreign key: written with the identifier in one transaction, and never deleted by the room
create table bindings (         -- the first holds for all earlier times too
    identifier_id uuid not null,
    from_at timestamptz not null,
    member bigint not null,
    account bigint not null,
    shard int not null,
    binding_id uuid,            -- the caller's, of a re-binding
    written_at timestamptz not null,
    primary key (identifier_id, from_at)
);
create index bindings_member on bindings (member);
create unique index bindings_request on bindings (binding_id) where binding_id is not null;

grant select, insert, update on identifiers to members;
grant select, insert on bindings to members;
