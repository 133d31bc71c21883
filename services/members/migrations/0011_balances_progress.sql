-- The last sequence of each shard that the balances follow: their progress.

alter table balances_heard rename to balances_progress;
