-- The shards' answers to changes of a party's status move into kit's table of requests.

insert into requests (name, shard, command, requested_at, completed, code, fa, en, answered_at)
select
    c.name, s.shard, 'set-standing.v1', c.changed_at, a.booked,
    coalesce(a.code, ''), coalesce(a.fa, ''), coalesce(a.en, ''), a.answered_at
from party_status_changes c
cross join lateral generate_series(0, c.shards - 1) as s (shard)
left join party_status_answers a on a.name = c.name and a.shard = s.shard;

drop table party_status_answers;
alter table party_status_changes drop column shards;
