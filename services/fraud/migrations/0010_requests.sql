-- Verdicts sent to the ledger and its answers move into kit's table of requests.

insert into requests (name, shard, command, requested_at, completed, code, answered_at)
select
    'v.' || case_id, shard,
    case verdict when 'release' then 'release-pending.v1' else 'cancel-pending.v1' end,
    decided_at,
    case when status <> 'decided' then status <> 'refused' end,
    answer_code, answered_at
from cases
where verdict is not null;

alter table cases drop column answer_code, drop column answered_at;
