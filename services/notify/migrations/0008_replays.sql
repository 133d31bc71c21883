-- Replays that their caller named (Idempotency-Key): what was asked, and the answer, for a day.

create table webhook_replays (
    endpoint uuid not null references webhook_endpoints,
    key text not null,                      -- the caller's
    asked bytea not null,                   -- SHA-256 of the body's fields
    events int not null,                    -- the answer
    asked_at timestamptz not null,          -- wall
    primary key (endpoint, key)
);

grant select, insert, delete on webhook_replays to notify;
