-- Keys of partners' programs, each with its rights and its end.

create table api_keys (
    key uuid primary key,                   -- the caller's name of it
    name text not null,                     -- of the program; two keys of one name overlap
    roles text[] not null,
    version int not null check (version > 0),  -- rises with every change that is published
    sha256 text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),  -- the key itself is nowhere
    issued_by text not null,
    issued_at timestamptz not null,
    ends_at timestamptz not null,           -- earlier than at first where it was ended
    first_ends_at timestamptz not null,     -- as it was issued
    successor uuid references api_keys,     -- what took its place
    used_at timestamptz                     -- within an hour
);
create index api_keys_successor on api_keys (successor);

grant select, insert, update on api_keys to identity;
