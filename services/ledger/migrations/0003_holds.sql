-- Holds: the lots each one reserves, and how it was resolved, once. A projection of the leaves.

alter table lots
    alter column available_from drop not null,          -- null: pending until an event
    add column sliding_days int not null default 0;     -- where not 0, activity renews expires_at

create table holds (
    hold bigint not null,               -- sequence of its command
    owner bigint not null,
    due_at timestamptz not null,        -- from then on it reads as released
    resolved_by bigint,                 -- sequence of the command that booked its end
    shard smallint not null,
    name text collate "C" not null,
    resolution text collate "C" not null,   -- captured, voided, due; '' while it stands
    lots bigint[] not null,             -- in the order in which a spend takes them
    amounts bigint[] not null,
    primary key (shard, hold),
    check ((resolution = '') = (resolved_by is null))
) with (fillfactor = 80);
create index holds_standing on holds (shard, owner) where resolution = '';
create index holds_due on holds (shard, due_at, hold) where resolution = '';

grant select, insert, update on holds to ledger;
