-- What members.contacts tells: sealed numbers, locale, consents. Rebuilt from its topic alone.

create table contacts (
    member bigint primary key,
    version int not null,
    account bigint not null,
    sealed text not null,               -- opened only to send and to show the last digits
    locale text not null,
    receipts boolean not null,
    marketing boolean not null
);

create index contacts_of_account on contacts (account, member);

grant select, insert, update, delete on contacts to notify;
