-- One tenant per transaction for orrery_app. orrery_cross owns the closed list of cross-tenant functions and has a
-- policy of its own: no BYPASSRLS, so that managed servers work. The owner has none: forced, it sees no row.

do $$
declare v_table text;
begin
  for v_table in
    select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
    where c.relnamespace = 'orrery'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  loop
    execute format('alter table %I enable row level security', v_table);
    execute format('alter table %I force row level security', v_table);
    execute format('create policy one_tenant on %I to orrery_app using (tenant_id = (select current_setting(''orrery.tenant'', true))) with check (tenant_id = (select current_setting(''orrery.tenant'', true)))', v_table);
    execute format('create policy all_tenants on %I to orrery_cross using (true) with check (true)', v_table);
  end loop;
end $$;

grant usage on schema orrery to orrery_app, orrery_cross;
grant select, insert, update, delete on
  tenant, site, dag, watermark, worker, run_live, step_live, counter, lease, skip_live, condition, event, blob, outbox, batch
  to orrery_app;
grant select on dag_version, run_key, run, attempt, output, record to orrery_app;
grant insert on dag_version, run to orrery_app;

grant select, update on tenant, watermark, run_live, outbox, skip_live, worker, batch, counter to orrery_cross;
grant insert on run_live, step_live, counter, skip_live, outbox to orrery_cross;
grant delete on run_live, step_live, skip_live, outbox, worker, counter to orrery_cross;
grant select, update on step_live to orrery_cross;
grant select on dag, dag_version, run_key, run, attempt, output, record to orrery_cross;
grant insert on run_key, run, attempt, output, record to orrery_cross;
grant usage, select, update on sequence vtime to orrery_cross;
