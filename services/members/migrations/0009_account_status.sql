-- An account's status is open or stopped: the table of its changes is named so.

alter table standings rename to account_status_changes;
