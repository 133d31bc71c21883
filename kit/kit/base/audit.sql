-- The trail: who wrote what through the room's HTTP door, and who read whose personal data: for ever.

create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    subject text not null,          -- who, as the gateway vouched for it
    roles text[] not null,
    act text not null check (act in ('write', 'read')),
    route text not null,            -- method and pattern of the address
    target jsonb not null,          -- what the address names
    body_sha256 text not null,      -- of the request's body, hex; e3b0… for none
    before jsonb,                   -- what stood there, where the write changed something
    after jsonb,                    -- what stands there now, or whose data was read; no personal data
    trace text not null default ''
);
create index audit_subject on audit (subject, id);

create function refuse_change_of_audit() returns trigger language plpgsql as $$
begin
    raise exception 'the trail is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_append_only before update or delete on audit
    for each row execute function refuse_change_of_audit();
create trigger audit_no_truncate before truncate on audit
    for each statement execute function refuse_change_of_audit();

do $$
begin
    if exists (select 1 from pg_roles where rolname = current_database()) then
        execute format('grant select, insert on audit to %I', current_database());
    end if;
end $$;
