-- The credit of an account's first purchase (SH5): its versions, and one row an account for ever.

create table first_purchase_versions (
    version int primary key,
    effective_from timestamptz not null,
    amount_rial bigint not null check (amount_rial between 0 and 9007199254740991),
    validity_days int check (validity_days between 1 and 36500),
    funder int not null check (funder > 0),
    title_fa text not null,
    title_en text not null
);
insert into first_purchase_versions values
    (1, '1970-01-01T00:00:00Z', 200000, 60, 1, 'اعتبار نخستین خرید', 'First purchase credit');

create table first_purchases (
    account bigint primary key,     -- the count is one an account
    shard int not null,
    name text not null,             -- of the purchase that it is reserved under
    member bigint not null,
    version int not null references first_purchase_versions,
    state text not null check (state in ('reserved', 'confirmed', 'released')),
    returned boolean not null default false,  -- a take-back was commanded
    decided_at timestamptz not null,
    unique (shard, name)
);

grant select, insert on first_purchase_versions to campaigns;
grant select, insert, update on first_purchases to campaigns;
