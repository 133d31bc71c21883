-- How far the ledger's outcomes were heard, by shard: one far beyond it is set aside.

create table balances_heard (
    shard int primary key,
    sequence bigint not null
) with (fillfactor = 50);

insert into balances_heard (shard, sequence)
select shard, max(sequence) from balances group by shard;

grant select, insert, update on balances_heard to members;
