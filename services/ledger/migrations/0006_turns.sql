-- Open lots of an account in the order in which debits take them, and those out of the ordinary: a
-- till's command reads the first of many, and finds what must be said of the rest without a scan.

lock table shards in exclusive mode;

alter table lots add column waits boolean not null default false;  -- pending when it was opened
update lots l set waits = true from shards s
where s.shard = l.shard and l.open and (l.available_from is null or l.available_from > s.decided_at);

drop index lots_open;
create index lots_open on lots (shard, account_id, expires_at, born_at, lot) where open;
create index lots_waiting on lots (shard, account_id, available_from) where open and waits;
create index lots_sliding on lots (shard, account_id) where open and sliding_days > 0;
