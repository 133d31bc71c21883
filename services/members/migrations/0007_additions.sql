-- Under whom an account was opened, and how many identifiers came to old accounts on a day.

alter table accounts add column party int not null default 0    -- 0: the network's own keys
    check (party >= 0);

create table additions (
    whose text not null,    -- account:<number>, or key:<name of the key>
    day date not null,      -- of Tehran
    count int not null check (count >= 0),
    primary key (whose, day)
);

grant select, insert, update on additions to members;
