-- What the past is read from besides entries and consumptions. Rows that the leaves have too (dates:
-- their section 7), kept by lot and by account, added to only.

create table lot_dates (                -- dates that a lot was given after its birth
    sequence bigint not null,
    lot bigint not null,
    available_from timestamptz,         -- null: pending until an event
    expires_at timestamptz,             -- null: never
    shard smallint not null,
    primary key (shard, lot, sequence)
);

create table sends (                    -- what an account sent to others
    sequence bigint not null,
    owner bigint not null,              -- the club account
    shard smallint not null,
    to_shard smallint not null,
    primary key (shard, owner, sequence)
);

do $$
declare
    book text;
begin
    foreach book in array array['lot_dates', 'sends'] loop
        execute format(
            'create trigger append_only before update or delete or truncate on %I '
            'for each statement execute function refuse_change()', book);
        execute format('grant select, insert on %I to ledger', book);
    end loop;
end $$;

create index holds_owner on holds (shard, owner, hold);  -- those resolved long ago too
