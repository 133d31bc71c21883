-- How much money a merchant's tills take for a member's wallet at once; 0: none (decision 0048).

alter table programmes
    add column top_up_max_rial bigint not null default 0 check (top_up_max_rial >= 0);
