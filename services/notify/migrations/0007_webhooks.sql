-- What merchants' programs are told: their endpoints, the secrets that sign, events and deliveries.

create table webhook_endpoints (
    endpoint uuid primary key,              -- the caller's name of it
    merchant int not null check (merchant > 0),
    url text not null,
    events text[] not null,                 -- types that it takes
    enabled boolean not null,
    disabled_reason text not null default '',   -- gone, unanswered: the platform's own doing
    created_at timestamptz not null,
    changed_at timestamptz not null,
    delivered_at timestamptz                -- of its last success
);
create index webhook_endpoints_merchant on webhook_endpoints (merchant, endpoint);

create table webhook_secrets (
    secret uuid primary key,                -- the caller's name of it; of the first, the endpoint's
    endpoint uuid not null references webhook_endpoints,
    sealed text not null,                   -- under a key of PEYVAND_CONTACT_KEYS
    created_at timestamptz not null,
    ends_at timestamptz                     -- signs until then; null: the newest
);
create index webhook_secrets_endpoint on webhook_secrets (endpoint);

create table webhook_events (
    id bigint generated always as identity primary key,
    message uuid not null,                  -- webhook-id, the same on every try
    merchant int not null,
    type text not null,
    cause text not null,                    -- public id of the outcome, or the test's own
    body text not null,                     -- the very bytes that are signed
    decided_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    unique (cause, type)                    -- for ever: a replay of the topic tells nothing twice
);
create unique index webhook_events_message on webhook_events (message);
create index webhook_events_merchant on webhook_events (merchant, decided_at);

create table webhook_deliveries (
    id bigint generated always as identity primary key,
    endpoint uuid not null references webhook_endpoints,
    event bigint not null references webhook_events,
    state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
    attempts int not null default 0,
    next_at timestamptz not null,           -- wall; of a try under way, when another may begin
    first_at timestamptz,                   -- wall, of the first try
    last_at timestamptz,
    http_status int not null default 0,     -- of the last answer; 0: none came
    error text not null default '',
    unique (endpoint, event)
) with (fillfactor = 70);
create index webhook_deliveries_due on webhook_deliveries (endpoint, next_at, id)
    where state = 'pending';

grant select, insert, update on webhook_endpoints, webhook_secrets, webhook_deliveries to notify;
grant select, insert on webhook_events to notify;
