-- Who a party is and where it is paid: numbers of registers, bank and post, each as it was checked.

alter table parties
    add column national_id text unique check (national_id ~ '^[0-9]{10}$'),  -- of a person
    add column sheba text check (sheba ~ '^IR[0-9]{24}$'),
    add column postal_code text check (postal_code ~ '^[0-9]{10}$'),
    add column mobile text check (mobile ~ '^\+98[0-9]{10}$'),               -- E.164
    add constraint parties_one_identity check (legal_id is null or national_id is null) not valid;
alter table parties validate constraint parties_one_identity;
