-- How often a tenant was applied. Whoever knows its DAGs and conditions of one generation knows them while it stands, for
-- nothing but an apply writes them: one changed DAG among ten thousand does not cost a reading of all rows.

alter table tenant add column generation bigint not null default 0;
