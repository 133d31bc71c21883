-- A first purchase is one whatever was on offer; a credit is claimed back as often as it comes back.

alter table first_purchases
    alter column version drop not null,     -- null: there was no version yet
    add column lot bigint,                  -- of the credit, as the ledger issued it
    drop constraint first_purchases_state_check,
    add constraint first_purchases_state_check
        check (state in ('unoffered', 'reserved', 'confirmed', 'released'));
create index first_purchases_lot on first_purchases (shard, lot) where returned;
