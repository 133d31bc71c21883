-- What merchants.merchants tells: the titles that texts name. Rebuilt from its topic alone.

create table merchants (
    merchant int primary key,
    version int not null,
    title_fa text not null,
    title_en text not null
);

grant select, insert, update on merchants to notify;
