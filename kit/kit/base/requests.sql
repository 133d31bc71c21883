-- Commands that this service sent to the ledger, and what each shard answered; kit.stream.requests.

create table requests (
    name text not null,             -- of the command, derived from what it is for
    shard int not null check (shard >= 0),
    command text not null,          -- its type
    requested_at timestamptz not null,
    completed boolean,              -- null: no answer yet; false: declined
    code text not null default '',  -- why it was declined, or why nothing changed
    fa text not null default '',
    en text not null default '',
    answered_at timestamptz,        -- when the ledger decided it
    primary key (name, shard),
    check ((completed is null) = (answered_at is null))
);

do $$
begin
    if exists (select 1 from pg_roles where rolname = current_database()) then
        execute format('grant select, insert on requests to %I', current_database());
        execute format('grant update (completed, code, fa, en, answered_at) on requests to %I',
            current_database());
    end if;
end $$;
