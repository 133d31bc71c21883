-- Names of the field: fraud decides, a reviewer's outcome ends a review, names are seen.

alter table sightings rename to names_seen;

alter table cases rename column verdict to outcome;
alter table cases rename column heard to ledger_status;
alter table cases rename column lapses to auto_release;

alter table decisions drop constraint decisions_verdict_check;
alter table decisions rename column verdict to decision;
update decisions set decision = 'review' where decision = 'hold';
alter table decisions add constraint decisions_decision_check
    check (decision in ('allow', 'review', 'decline', 'refuse'));
