-- What comes back of a credit may lie in another lot than the first; the ledger finds it.

drop index first_purchases_lot;

alter table first_purchases drop column lot;
