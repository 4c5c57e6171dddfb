-- The closed list: only these run as orrery_cross, and only orrery_app may call them.
do $$
declare v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'orrery'::regnamespace
    and p.proname <> all (array['guard_ledger', 'make_partitions', 'refuse_change', 'first_run_id'])
  loop
    execute format('revoke execute on function %s from public', v_function);
    execute format('grant execute on function %s to orrery_cross', v_function);
  end loop;
end $$;

grant execute on function utc(timestamptz), hex(bytea), end_runs(json, uuid), attempts_of(text, uuid), add_skip(text, text, text, text, timestamptz, timestamptz, bigint) to orrery_app;
grant execute on function
  due_slots(timestamptz, int), admit(json), promote(text[]), tick(uuid, int, bigint, timestamptz, json, json, json, json, int, bigint, boolean),
  rescue(interval, uuid), drain(bigint, int, bigint, timestamptz), seal(bigint, json), sweep()
  to orrery_app;

grant create on schema orrery to orrery_cross;
alter function due_slots(timestamptz, int) owner to orrery_cross;
alter function admit(json) owner to orrery_cross;
alter function promote(text[]) owner to orrery_cross;
alter function tick(uuid, int, bigint, timestamptz, json, json, json, json, int, bigint, boolean) owner to orrery_cross;
alter function rescue(interval, uuid) owner to orrery_cross;
alter function drain(bigint, int, bigint, timestamptz) owner to orrery_cross;
alter function seal(bigint, json) owner to orrery_cross;
alter function sweep() owner to orrery_cross;
revoke create on schema orrery from orrery_cross;
