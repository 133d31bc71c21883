-- Events of the last day of each account and card, exact. Packed int64, little endian: the lengths
-- of three series (purchases, redemptions, undos), then of each its times in microseconds, its
-- amounts in Rial, its merchants.

create table windows (
    shard int not null,
    key text not null,              -- a.<account>, c.<identifier>; of history ha. and hc.
    events bytea not null,
    touched_at timestamptz not null,
    primary key (shard, key)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
-- block range, so that updates stay on their page
create index windows_touched on windows using brin (touched_at) with (pages_per_range = 32);

grant select, insert, update, delete on windows to fraud;
