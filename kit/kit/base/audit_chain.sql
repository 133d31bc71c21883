-- statement_timeout: 10min
-- Each act carries the hash of the one before it: what is altered, left out, put in between or
-- moved shows. Numbers are given in the order of commits, without gaps.

alter table audit add column hash bytea;

create function audit_hash(previous bytea, act audit) returns bytea language sql stable as $$
    select sha256(previous || convert_to(jsonb_build_array(
        act.id, (extract(epoch from act.at) * 1000000)::bigint, act.subject, act.roles, act.act,
        act.route, act.target, act.body_sha256, act.before, act.after, act.trace, act.address,
        act.approved_by
    )::text, 'UTF8'))
$$;

create function is_intact(act audit) returns boolean language sql stable as $$
    select act.hash is not distinct from audit_hash(coalesce(
        (select before.hash from audit before where before.id < act.id order by before.id desc limit 1),
        ''), act)
$$;

create function chain_audit() returns trigger language plpgsql as $$
declare
    last audit;
begin
    perform pg_advisory_xact_lock(hashtext('audit chain'));  -- one at a time
    select * into last from audit order by id desc limit 1;
    new.id := coalesce(last.id, 0) + 1;
    new.hash := audit_hash(coalesce(last.hash, ''), new);
    return new;
end $$;

alter table audit disable trigger audit_append_only;
do $$
declare
    one audit;
    previous bytea := '';
begin
    for one in select * from audit order by id loop
        previous := audit_hash(previous, one);
        update audit set hash = previous where id = one.id;
    end loop;
end $$;
alter table audit enable trigger audit_append_only;

alter table audit alter column hash set not null;
create trigger audit_chained before insert on audit for each row execute function chain_audit();
