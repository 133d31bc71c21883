-- Writes that need two people: proposed by one, decided by another, carried out once.

create table proposals (
    proposal uuid primary key,
    method text not null,
    target text not null,                   -- path and query, as the proposer sent them
    content_type text not null,
    body bytea not null,                    -- the very bytes that the approval carries out
    body_sha256 text not null check (body_sha256 ~ '^[0-9a-f]{64}$'),
    roles text[] not null,                  -- whoever decides has one of them
    proposed_by uuid not null references users,
    proposed_at timestamptz not null,
    ends_at timestamptz not null,           -- of the time to decide
    decision text check (decision in ('approved', 'rejected', 'withdrawn', 'expired')),
    decided_by text not null default '',    -- "" where the time ended
    decided_at timestamptz,
    reason text not null default '',        -- of a rejection
    result_status int check (result_status between 200 and 499),
    result_body bytea,                      -- null too where the answer was not to be kept
    finished_at timestamptz,
    check ((decision is null) = (decided_at is null)),
    check ((result_status is null) = (finished_at is null)),
    check (result_status is null or decision = 'approved')
);
-- the same write, proposed again while it waits, is the same proposal
create unique index proposals_open on proposals (proposed_by, method, target, body_sha256)
    where decision is null;
create index proposals_proposed_by on proposals (proposed_by, proposal);

grant select, insert on proposals to identity;
grant update (decision, decided_by, decided_at, reason, result_status, result_body, finished_at)
    on proposals to identity;
