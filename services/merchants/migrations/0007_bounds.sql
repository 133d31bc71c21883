-- What a programme bounds and how it earns beyond the base (findings S15, F16).

alter table programmes
    add column basket_max_rial bigint not null default 10000000000 check (basket_max_rial > 0),
    add column earns_on_paid_part boolean not null default true,
    add column earn_in_steps boolean not null default false;
