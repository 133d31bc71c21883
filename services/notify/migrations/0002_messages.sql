-- Every message to a member, from the outcome that caused it to the phone; a row is never deleted.

create table messages (
    id bigint generated always as identity primary key,     -- the provider's local id too
    member bigint not null,             -- 0: not known yet, the account's first member will be told
    account bigint not null,
    template text not null,
    cause text not null,                -- public id of the outcome: shard, then name
    facts jsonb not null,               -- what the template shows
    locale text not null default '',
    text text not null default '',      -- empty while the contact is waited for
    parts int not null default 0,
    price_rial bigint not null default 0,
    state text not null,
    reason text not null default '',    -- why it ended as it did, where the state alone does not say
    attempts int not null default 0,
    provider_id bigint,
    cost_rial bigint not null default 0,        -- what the provider took
    decided_at timestamptz not null,            -- house time of the outcome
    expires_at timestamptz not null,            -- house time: not sent later
    sending_at timestamptz,                     -- wall time of the last hand-over's begin
    accepted_at timestamptz,                    -- wall time of the provider's yes
    asked_at timestamptz,                       -- wall time of the last question about its delivery
    recorded_at timestamptz not null default now(),
    unique (cause, template)                    -- for ever: a replay sends nothing twice
) with (fillfactor = 70);

create index messages_waiting on messages (id) where state = 'waiting';
create index messages_queued on messages (id) where state = 'queued';
create index messages_sending on messages (id) where state = 'sending';
create index messages_under_way on messages (asked_at, id) where state in ('accepted', 'sent');
create index messages_provider on messages (provider_id) where provider_id is not null;
create index messages_of_member on messages (member, id);

-- A database made anew must not repeat an id that the provider still remembers: it would take the
-- new message for the old one. Ids therefore begin at the milliseconds of the migration.
select setval('messages_id_seq', (extract(epoch from now()) * 1000)::bigint);

grant select, insert, update on messages to notify;
grant usage on sequence messages_id_seq to notify;
