-- How often a run was taken from a worker that died: a step that kills its daemon must end some day. A clean release is
-- no rescue. The worker judges (src/dag): the queue only counts.

alter table run_live add column rescues int not null default 0;

-- The owner of the schema may drop what orrery_cross owns, but not replace it.
drop function rescue(interval, uuid);
create function rescue(p_ttl interval, p_worker uuid) returns int
language plpgsql security definer set search_path = orrery, pg_temp set enable_seqscan = off as $$
declare
  v_lost uuid[];
  v_back int;
begin
  with dead as (
    update worker w set lost = true, epoch = w.epoch + 1
    where not w.lost and case when p_worker is null then w.beat < now() - p_ttl else w.worker_id = p_worker end returning w.worker_id)
  select array_agg(worker_id) into v_lost from dead;
  if v_lost is null then return 0; end if;
  -- Its own statement: what the worker's last tick claimed was committed while the update above waited.
  update run_live l set state = 'queued', worker_id = null, fence = l.fence + 1, rescues = l.rescues + 1
  where l.worker_id = any (v_lost) and l.state = 'running';
  get diagnostics v_back = row_count;
  return v_back;
end $$;

create or replace function claimed_run(p_run run_live) returns json
language sql stable set search_path = orrery, pg_temp as $$
  select json_build_object('tenant', p_run.tenant_id, 'runId', p_run.run_id, 'runNo', p_run.run_no, 'dagId', p_run.dag_id, 'fence', p_run.fence,
    'rescues', p_run.rescues,
    'specHash', hex(p_run.spec_hash), 'specText', v.spec_text, 'commit', v.commit_id, 'policyRevision', p_run.policy_revision, 'snapshot', hex(p_run.snapshot),
    'trigger', json_build_object('kind', p_run.trigger_kind, 'key', p_run.trigger_key, 'schedule', p_run.schedule, 'slot', utc(p_run.slot)),
    'inputsText', p_run.inputs_text, 'inputsHash', hex(p_run.inputs_hash), 'runToken', hex(p_run.run_token), 'rationale', p_run.rationale::json,
    'actor', json_build_object('kind', p_run.actor_kind, 'subject', p_run.actor_subject, 'key', p_run.actor_key), 'traceId', p_run.trace_id,
    'context', json_build_object('now', utc(p_run.context_now), 'seed', hex(p_run.context_seed)),
    'queuedUtc', utc(p_run.queued_at), 'startedUtc', utc(p_run.started_at),
    'attempts', case when p_run.fence > 1 then attempts_of(p_run.tenant_id, p_run.run_id) else '[]' end,
    'marks', case when p_run.fence > 1 then (
      select coalesce(json_agg(json_build_object('tenant', s.tenant_id, 'runId', s.run_id, 'fence', s.fence, 'stepId', s.step_id, 'index', s.index, 'attempt', s.attempt,
        'startedUtc', utc(s.started_at)) order by s.step_id, s.index, s.attempt), '[]')
      from step_live s where s.tenant_id = p_run.tenant_id and s.run_id = p_run.run_id) else '[]' end)
  from dag_version v where v.tenant_id = p_run.tenant_id and v.dag_id = p_run.dag_id and v.spec_hash = p_run.spec_hash $$;

revoke execute on function rescue(interval, uuid) from public;
grant execute on function rescue(interval, uuid) to orrery_app;
grant create on schema orrery to orrery_cross;
alter function rescue(interval, uuid) owner to orrery_cross;
revoke create on schema orrery from orrery_cross;
