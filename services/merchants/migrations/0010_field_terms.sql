-- Names of the field: terminals and parties have a status, merchants' days have totals.

alter table standings rename to terminal_status_changes;
alter table party_standings rename to party_status_changes;
alter table party_answers rename to party_status_answers;

alter table tallies rename to daily_totals;
alter table tally_progress rename to daily_totals_progress;
