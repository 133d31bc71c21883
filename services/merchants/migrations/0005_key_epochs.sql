-- A key gives names of the epoch it was issued in and of older ones; an activation ends older keys.

alter table terminal_keys add column epoch int not null default 0 check (epoch >= 0);

-- a key is of the last activation before it, its own included
update terminal_keys k set epoch = coalesce(
    (select max(a.epoch) from activations a
     where a.terminal = k.terminal and a.activated_at <= k.created_at), 0);

alter table terminal_keys alter column epoch drop default;
alter table activations
    add column overlap_s int not null default 0 check (overlap_s >= 0);  -- how long older keys stay
