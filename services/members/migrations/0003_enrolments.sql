-- Requests to enrol, by the caller's id: the same again gives the same membership.

create table enrolments (
    enrolment uuid primary key,
    member bigint not null references members,
    fingerprint bytea not null, -- keyed digest of the request, so that it tells nobody a mobile
    recorded_at timestamptz not null default now()
);

grant select, insert on enrolments to members;
