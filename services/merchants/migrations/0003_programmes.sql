-- Programmes of merchants and the network's terms: immutable versions, each from its own time on.

create table programmes (
    merchant int not null references merchants,
    version int not null check (version > 0),
    party int not null references parties,
    effective_from timestamptz not null,
    title_fa text not null,
    title_en text not null,
    earn_points bigint not null check (earn_points >= 0),
    earn_per_rial bigint not null check (earn_per_rial > 0),
    earning_categories text[] not null,
    excluded_categories text[] not null,
    validity_days int check (validity_days > 0),
    activation_days int not null check (activation_days >= 0),
    redeem_min_points bigint not null check (redeem_min_points >= 0),
    redeem_max_share_bp int not null check (redeem_max_share_bp between 0 and 10000),
    own_discount_bp int not null check (own_discount_bp between 0 and 10000),
    own_discount_max_rial bigint not null check (own_discount_max_rial >= 0),
    published_at timestamptz not null,
    primary key (merchant, version)
);

create table terms (
    version int primary key check (version > 0),
    effective_from timestamptz not null,
    price_rial bigint not null check (price_rial > 0),
    price_points bigint not null check (price_points > 0),
    fee_bp int not null check (fee_bp between 0 and 10000),
    grace_days int not null check (grace_days >= 0),
    published_at timestamptz not null
);

grant select, insert on programmes, terms to merchants;
