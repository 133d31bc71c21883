-- Whatever a key made begins with its head: a byte of version, five of the key's id (contracts.keys).
-- A digest is 6 bytes of head and 32 of HMAC. No key opens what was sealed without a head.

do $$ begin
    if exists (select from members) then
        raise exception 'what is sealed here has no key ids and cannot be opened'
            using hint = 'make this house anew (make clean, or another HOUSE) and enrol again';
    end if;
end $$;

alter table identifiers drop constraint identifiers_digest_check;
alter table identifiers add constraint identifiers_digest_check check (length(digest) = 38);

alter table members add column published_under bytea    -- head of the key of the contact that was
    check (length(published_under) = 6);                -- said last; null where none was
create index members_wrapped_under on members (substring(wrapped_key from 1 for 6));
create index members_published_under on members (published_under);
