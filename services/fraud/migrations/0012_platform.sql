-- The platform is called platform: as author of the first rules, and as reviewer where time decided.

update rule_versions set author = 'platform' where author = 'house';
update cases set reviewer = 'platform' where reviewer = 'house';
