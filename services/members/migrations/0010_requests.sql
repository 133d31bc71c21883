-- The ledger's answers to changes of status move into kit's table of requests.

insert into requests (name, shard, command, requested_at, completed, code, fa, en, answered_at)
select c.name, a.shard, 'set-standing.v1', c.changed_at, c.booked, c.code, c.fa, c.en, c.answered_at
from account_status_changes c join accounts a using (account);

alter table account_status_changes
    drop column booked, drop column code, drop column fa, drop column en, drop column answered_at;
