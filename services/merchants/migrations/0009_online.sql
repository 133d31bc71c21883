-- The one terminal of a merchant that names orders; the servers of its online shop have its keys.

alter table terminals add column online boolean not null default false;
create unique index terminals_online on terminals (merchant) where online;
