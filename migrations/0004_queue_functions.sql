-- The queue: due_slots, admit, promote, tick, rescue, sweep. Plans are pinned per function: the hot table swings
-- between 0 and 10^5 rows, so that its statistics are never right. Nested loops alone: so no statement joins two lists of
-- the caller's length, each row carries what comes later.
-- Lock order everywhere: worker row, tenant rows in id order, then run_live rows.

create function utc(p_at timestamptz) returns text language sql stable as $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

create function hex(p_bytes bytea) returns text language sql immutable as $$ select encode(p_bytes, 'hex') $$;

-- Schedules whose next slot is at or before p_now, soonest first; the soonest of all for p_now = infinity, p_limit = 1.
create function due_slots(p_now timestamptz, p_limit int)
returns table (tenant_id text, dag_id text, schedule text, watermark timestamptz, next_due timestamptz, spec_hash text, spec_text text, blocked text)
language sql stable security definer set search_path = orrery, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
  select w.tenant_id, w.dag_id, w.schedule, w.slot, w.next_due, hex(d.spec_hash), v.spec_text,
    case when t.suspended or d.suspended then 'suspended' when not d.armed then 'not_allowed' end
  from (select * from watermark where next_due <= p_now order by next_due, tenant_id, dag_id, schedule limit p_limit) w
  join tenant t on t.tenant_id = w.tenant_id
  join dag d on d.tenant_id = w.tenant_id and d.dag_id = w.dag_id
  join dag_version v on v.tenant_id = d.tenant_id and v.dag_id = d.dag_id and v.spec_hash = d.spec_hash
  order by w.next_due, w.tenant_id, w.dag_id, w.schedule $$;

-- The one place where a waiting run becomes ready: quota, per-DAG concurrency, FIFO in a tenant among eligible runs,
-- weighted start tags between tenants. Call it after admission, settle (admitted already lowered) and a quota change.
create function promote(p_tenants text[]) returns int
language plpgsql security definer set search_path = orrery, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
declare
  v_promoted int;
begin
  -- Its own statement: the next one must see what the lock waited for.
  perform 1 from tenant where tenant_id = any (p_tenants) order by tenant_id for no key update;
  with room as materialized (
    select t.tenant_id, t.max_runs - t.admitted as free, greatest(t.tag, (select last_value from vtime)) as tag, 720720 / t.weight as stride
    from tenant t where t.tenant_id = any (p_tenants) and t.max_runs > t.admitted and not t.suspended
  ), door as materialized (
    select room.*, dag.dag_id, least(room.free, dag.concurrency_max - busy.n) as door
    from room
    cross join lateral (
      with recursive scan as (
        (select w.dag_id from run_live w where w.tenant_id = room.tenant_id and w.state = 'queued' and w.tag is null order by w.dag_id limit 1)
        union all
        select (select w.dag_id from run_live w where w.tenant_id = room.tenant_id and w.state = 'queued' and w.tag is null and w.dag_id > scan.dag_id order by w.dag_id limit 1)
        from scan where scan.dag_id is not null)
      select scan.dag_id from scan where scan.dag_id is not null) waiting
    join dag on dag.tenant_id = room.tenant_id and dag.dag_id = waiting.dag_id and not dag.pruned and not dag.suspended
    cross join lateral (
      select count(*)::int as n from run_live b where b.tenant_id = dag.tenant_id and b.dag_id = dag.dag_id and b.tag is not null) busy
  ), head as materialized (
    select door.*, q.run_id, row_number() over (partition by door.tenant_id order by q.instant, door.dag_id, q.run_id) as place
    from door cross join lateral (
      select x.run_id, x.instant from run_live x
      where x.tenant_id = door.tenant_id and x.dag_id = door.dag_id and x.state = 'queued' and x.tag is null
      order by x.instant, x.run_id limit greatest(door.door, 0)) q
  ), picked as materialized (
    select head.tenant_id, head.run_id, head.tag + head.stride * head.place as tag from head where head.place <= head.free
  ), tagged as (
    update run_live l set tag = p.tag from picked p where l.tenant_id = p.tenant_id and l.run_id = p.run_id returning 1
  ), counted as (
    update tenant t set admitted = t.admitted + n.k, tag = n.tag
    from (select tenant_id, count(*)::int as k, max(tag) as tag from picked group by tenant_id) n where t.tenant_id = n.tenant_id returning n.k
  )
  select coalesce(sum(k), 0) into v_promoted from counted;
  return v_promoted;
end $$;

-- Counts a range of slots that become no run: the open range of the same reason and UTC day grows, another closes.
create function add_skip(p_tenant text, p_dag text, p_schedule text, p_reason text, p_from timestamptz, p_to timestamptz, p_count bigint) returns void
language plpgsql set search_path = orrery, pg_temp as $$
begin
  update skip_live s set to_slot = p_to, count = s.count + p_count
  where s.tenant_id = p_tenant and s.dag_id = p_dag and s.schedule = p_schedule and s.open and s.reason = p_reason
    and (s.from_slot at time zone 'UTC')::date = (p_from at time zone 'UTC')::date;
  if not found then
    update skip_live s set open = false where s.tenant_id = p_tenant and s.dag_id = p_dag and s.schedule = p_schedule and s.open;
    insert into skip_live (tenant_id, dag_id, schedule, from_slot, to_slot, reason, count) values (p_tenant, p_dag, p_schedule, p_from, p_to, p_reason, p_count)
    -- A DAG that returned after the clock went back meets its own old range: one row must not fail the slots of everybody.
    on conflict (tenant_id, dag_id, schedule, from_slot) do update
      set to_slot = greatest(skip_live.to_slot, excluded.to_slot), count = skip_live.count + excluded.count where skip_live.batch is null;
  end if;
end $$;

-- Why a start of this DAG is refused now, or null. The tenant row is locked by the caller.
create function start_refusal(p_tenant tenant, p_dag dag) returns text
language plpgsql stable set search_path = orrery, pg_temp as $$
declare
  v_queued bigint;
begin
  if p_tenant.suspended or p_dag.suspended then return 'SUSPENDED'; end if;
  if not p_dag.armed then return 'NOT_ALLOWED'; end if;
  if p_dag.overlap = 'skip' and p_dag.concurrency_max <= (
    select count(*) from run_live l where l.tenant_id = p_dag.tenant_id and l.dag_id = p_dag.dag_id) then return 'OVERLAP_SKIPPED'; end if;
  -- A waiting run that this one would take the place of needs no room.
  select count(*) into v_queued from run_live l where l.tenant_id = p_tenant.tenant_id and l.state = 'queued'
    and not (p_dag.overlap = 'latest' and l.dag_id = p_dag.dag_id and l.tag is null);
  if v_queued >= p_tenant.max_queued then return 'QUEUE_FULL'; end if;
  return null;
end $$;

-- Slots and requests become runs, skips or refusals. `latest`: waiting runs of the DAG are to end in this transaction.
create function admit(p_items json)
returns table (n int, kind text, run_id uuid, run_no bigint, code text, latest boolean)
language plpgsql security definer set search_path = orrery, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  i record;
  s record;
  v_tenant tenant;
  v_dag dag;
  v_key run_key;
  v_code text;
  v_run_no bigint;
begin
  perform 1 from tenant where tenant_id in (select x.tenant from json_to_recordset(p_items) x(tenant text)) order by tenant_id for no key update;
  for i in
    select * from json_to_recordset(p_items) x(n int, tenant text, dag text, spec_hash bytea, run uuid, trigger_kind text, trigger_key text,
      schedule text, slot timestamptz, instant timestamptz, now timestamptz, inputs text, inputs_hash bytea, run_token bytea, rationale text,
      actor_kind text, actor_subject text, actor_key text, trace text, context_now timestamptz, context_seed bytea, claim json, closed boolean) order by x.n
  loop
    n := i.n; kind := null; run_id := null; run_no := null; code := null; latest := false;
    select * into v_tenant from tenant t where t.tenant_id = i.tenant;
    select * into v_dag from dag d where d.tenant_id = i.tenant and d.dag_id = i.dag and not d.pruned;
    if i.claim is not null then
      -- The slot is claimed by moving the watermark: of two schedulers, and of two tries, one moves it.
      if v_dag.spec_hash is distinct from i.spec_hash then kind := 'stale'; return next; continue; end if;
      update watermark w set slot = (i.claim->>'to')::timestamptz, next_due = (i.claim->>'next')::timestamptz
      where w.tenant_id = i.tenant and w.dag_id = i.dag and w.schedule = i.schedule and w.slot = (i.claim->>'from')::timestamptz;
      if not found then kind := 'stale'; return next; continue; end if;
      for s in select * from json_to_recordset(i.claim->'skips') x(reason text, "from" timestamptz, "to" timestamptz, count bigint) loop
        perform add_skip(i.tenant, i.dag, i.schedule, s.reason, s."from", s."to", s.count);
        code := s.reason;
      end loop;
      if not (i.claim->>'runs')::boolean then kind := 'skipped'; return next; continue; end if;
      code := null;
    end if;

    select * into v_key from run_key k where k.tenant_id = i.tenant and k.dag_id = i.dag and k.trigger_kind = i.trigger_kind and k.trigger_key = i.trigger_key;
    if found then
      if v_key.inputs_hash = i.inputs_hash or i.claim is not null then kind := 'existing'; run_id := v_key.run_id;
      else kind := 'refused'; code := 'IDEMPOTENCY_KEY_REUSED'; end if;
      return next; continue;
    end if;
    if v_tenant.tenant_id is null or v_dag.dag_id is null then kind := 'refused'; code := 'DAG_NOT_FOUND'; return next; continue; end if;
    if i.spec_hash is not null and v_dag.spec_hash <> i.spec_hash then kind := 'stale'; return next; continue; end if;

    v_code := case when i.closed then 'ADMISSION_CLOSED' else start_refusal(v_tenant, v_dag) end;
    if v_code is not null then
      kind := 'refused'; code := v_code;
      if i.claim is not null then
        kind := 'skipped';
        code := case v_code when 'SUSPENDED' then 'suspended' when 'NOT_ALLOWED' then 'not_allowed' when 'OVERLAP_SKIPPED' then 'overlap' else 'quota' end;
        perform add_skip(i.tenant, i.dag, i.schedule, code, i.slot, i.slot, 1);
      end if;
      return next; continue;
    end if;

    insert into run_key (tenant_id, dag_id, trigger_kind, trigger_key, inputs_hash, run_id)
    values (i.tenant, i.dag, i.trigger_kind, i.trigger_key, i.inputs_hash, i.run);
    insert into counter as c (tenant_id, name, value) values (i.tenant, 'run/' || i.dag, 1)
    on conflict (tenant_id, name) do update set value = c.value + 1 returning value into v_run_no;
    insert into run_live (tenant_id, run_id, run_no, dag_id, spec_hash, policy_revision, snapshot, trigger_kind, trigger_key, schedule, slot, instant,
      inputs_text, inputs_hash, run_token, rationale, actor_kind, actor_subject, actor_key, trace_id, context_now, context_seed, queued_at)
    values (i.tenant, i.run, v_run_no, i.dag, v_dag.spec_hash, v_tenant.applied_revision, v_tenant.snapshot, i.trigger_kind, i.trigger_key, i.schedule, i.slot, i.instant,
      i.inputs, i.inputs_hash, i.run_token, i.rationale, i.actor_kind, i.actor_subject, i.actor_key, i.trace, i.context_now, i.context_seed, i.now);
    if i.claim is not null then
      -- The reason of an open range has ended.
      update skip_live k set open = false where k.tenant_id = i.tenant and k.dag_id = i.dag and k.schedule = i.schedule and k.open;
    end if;
    kind := 'admitted'; run_id := i.run; run_no := v_run_no; latest := v_dag.overlap = 'latest';
    -- At once: of two in one call, the first may start and the second waits, as if they had come one by one.
    if latest then perform promote(array[i.tenant]); end if;
    return next;
  end loop;
  perform promote(array(select distinct x.tenant from json_to_recordset(p_items) x(tenant text)));
end $$;

-- Ends runs: out of the hot tables, into run and outbox. Answers the numbers of the items that it ended. The caller holds
-- the tenants' locks, and promotes afterwards.
create function end_runs(p_items json, p_worker uuid) returns setof int
language plpgsql set search_path = orrery, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  return query
  with item as materialized (
    select distinct on (x.tenant, x.run) x.*
    from json_to_recordset(p_items) x(n int, tenant text, run uuid, fence int, status text, class text, code text, ended timestamptz, outputs_hash bytea, record text, body text)
    order by x.tenant, x.run, x.n
  ), gone as (
    delete from run_live l using item i
    where l.tenant_id = i.tenant and l.run_id = i.run and l.fence = i.fence and l.worker_id is not distinct from p_worker
    returning l.*, i.n, i.status, i.class, i.code, i.ended, i.outputs_hash, i.record, i.body
  ), ended as (
    insert into run (tenant_id, run_id, run_no, dag_id, status, class, code, fence, spec_hash, policy_revision, snapshot, trigger_kind, trigger_key, schedule, slot,
      inputs_text, inputs_hash, outputs_hash, run_token, rationale, actor_kind, actor_subject, actor_key, trace_id, context_now, context_seed, queued_at, started_at, ended_at)
    select g.tenant_id, g.run_id, g.run_no, g.dag_id, g.status, g.class, g.code, g.fence, g.spec_hash, g.policy_revision, g.snapshot, g.trigger_kind, g.trigger_key, g.schedule, g.slot,
      g.inputs_text, g.inputs_hash, g.outputs_hash, g.run_token, g.rationale, g.actor_kind, g.actor_subject, g.actor_key, g.trace_id, g.context_now, g.context_seed, g.queued_at, g.started_at, g.ended
    from gone g
  ), recorded as (
    insert into outbox (tenant_id, record_id, kind, dag_id, run_id, slot, body)
    select g.tenant_id, g.record, 'run', g.dag_id, g.run_id, g.slot, g.body from gone g
  ), counted as (
    update tenant t set admitted = t.admitted - k.n
    from (select g.tenant_id, count(*)::int as n from gone g where g.tag is not null group by g.tenant_id) k where t.tenant_id = k.tenant_id
  )
  select g.n from gone g;
end $$;

-- Stores the ends of attempts; answers the numbers of items that are stored now and of those stored before. Nobody else
-- inserts attempts of these runs meanwhile: the caller holds the worker's row, and the fence names the worker.
-- `limit 1` keeps each look-up on its primary key: as a condition of run_live, worker_id would read all runs of the worker
-- for each item, and a plain `exists` would be hashed over the whole history.
create function store_outcomes(p_items json, p_worker uuid, out stored int[], out duplicate int[])
language plpgsql set search_path = orrery, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
begin
  with item as materialized (
    select x.*, row_number() over (partition by x.tenant, x.run, x.step, x.index, x.attempt order by x.n) as place
    from json_to_recordset(p_items) x(n int, tenant text, run uuid, fence int, step text, index int, attempt int, status text, class text, code text, message text,
      started timestamptz, ended timestamptz, step_hash bytea, step_key bytea, inputs_hash bytea, outputs_hash bytea, output text, egress text, logs_hash bytea, artifacts text)
  ), live as materialized (
    select i.*, i.place = 1 and a.attempt is null as fresh
    from item i cross join lateral (
      select l.fence, l.worker_id, l.state from run_live l where l.tenant_id = i.tenant and l.run_id = i.run limit 1) l
    left join lateral (
      select a.attempt from attempt a where a.tenant_id = i.tenant and a.run_id = i.run and a.step_id = i.step and a.index = i.index and a.attempt = i.attempt limit 1) a on true
    where l.fence = i.fence and l.worker_id = p_worker and l.state = 'running'
  ), landed as (
    insert into attempt (tenant_id, run_id, step_id, index, attempt, fence, status, class, code, message, started_at, ended_at, step_hash, step_key, inputs_hash, outputs_hash, egress, logs_hash, artifacts)
    select tenant, run, step, index, attempt, fence, status, class, code, message, started, ended, step_hash, step_key, inputs_hash, outputs_hash, egress, logs_hash, artifacts
    from live where fresh
  ), valued as (
    insert into output (tenant_id, run_id, step_id, index, attempt, text)
    select tenant, run, step, index, attempt, output from live where fresh and output is not null
  )
  select array_agg(n) filter (where fresh), array_agg(n) filter (where not fresh) into stored, duplicate from live;
end $$;

-- Marks attempts as begun; a later fence takes a mark over.
create function store_marks(p_items json, p_worker uuid, out stored int[], out duplicate int[])
language plpgsql set search_path = orrery, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
begin
  with item as materialized (
    select x.*, row_number() over (partition by x.tenant, x.run, x.step, x.index, x.attempt order by x.n) as place
    from json_to_recordset(p_items) x(n int, tenant text, run uuid, fence int, step text, index int, attempt int, started timestamptz)
  ), live as materialized (
    select i.*, i.place = 1 and coalesce(s.fence < i.fence, true) as fresh
    from item i cross join lateral (
      select l.fence, l.worker_id, l.state from run_live l where l.tenant_id = i.tenant and l.run_id = i.run limit 1) l
    left join lateral (
      select s.fence from step_live s where s.tenant_id = i.tenant and s.run_id = i.run and s.step_id = i.step and s.index = i.index and s.attempt = i.attempt limit 1) s on true
    where l.fence = i.fence and l.worker_id = p_worker and l.state = 'running'
  ), landed as (
    insert into step_live as s (tenant_id, run_id, step_id, index, attempt, fence, started_at)
    select tenant, run, step, index, attempt, fence, started from live where fresh
    on conflict (tenant_id, run_id, step_id, index, attempt) do update set fence = excluded.fence, started_at = excluded.started_at
  )
  select array_agg(n) filter (where fresh), array_agg(n) filter (where not fresh) into stored, duplicate from live;
end $$;

-- Stored attempts of a run, for the worker that takes it over.
create function attempts_of(p_tenant text, p_run uuid) returns json
language sql stable set search_path = orrery, pg_temp as $$
  select coalesce(json_agg(json_build_object('tenant', a.tenant_id, 'runId', a.run_id, 'fence', a.fence, 'stepId', a.step_id, 'index', a.index, 'attempt', a.attempt,
    'status', a.status, 'class', a.class, 'code', a.code, 'message', a.message, 'startedUtc', utc(a.started_at), 'endedUtc', utc(a.ended_at),
    'stepHash', hex(a.step_hash), 'stepKey', hex(a.step_key), 'inputsHash', hex(a.inputs_hash), 'outputsHash', hex(a.outputs_hash), 'outputText', o.text,
    'egress', a.egress::json, 'logsHash', hex(a.logs_hash), 'artifacts', a.artifacts::json) order by a.step_id, a.index, a.attempt), '[]')
  from attempt a left join output o using (tenant_id, run_id, step_id, index, attempt) where a.tenant_id = p_tenant and a.run_id = p_run $$;

-- A claimed run with all that its worker needs.
create function claimed_run(p_run run_live) returns json
language sql stable set search_path = orrery, pg_temp as $$
  select json_build_object('tenant', p_run.tenant_id, 'runId', p_run.run_id, 'runNo', p_run.run_no, 'dagId', p_run.dag_id, 'fence', p_run.fence,
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

-- Takes up to p_max ready runs, oldest tag first. p_low keeps the scan off the dead entries at the head of run_live_ready.
create function claim_runs(p_worker uuid, p_tick bigint, p_max int, p_low bigint, p_now timestamptz) returns json
language plpgsql set search_path = orrery, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  v_runs json;
begin
  with ready as materialized (
    select tenant_id, run_id from run_live where state = 'queued' and tag is not null and tag >= p_low order by tag limit p_max for no key update skip locked
  ), taken as (
    update run_live l set state = 'running', worker_id = p_worker, claim_tick = p_tick, fence = l.fence + 1, started_at = coalesce(l.started_at, p_now)
    from ready r where l.tenant_id = r.tenant_id and l.run_id = r.run_id returning l.*
  ), ticked as (
    select setval('vtime', greatest(max(tag), (select last_value from vtime))) from taken having count(*) > 0
  )
  select json_agg(claimed_run(t.*::run_live) order by t.tag) into v_runs from taken t, ticked;
  return v_runs;
end $$;

-- What a worker must know: live workers, runs to cancel, applied revisions of the tenants it works for.
create function worker_news(p_worker uuid) returns json
language sql stable set search_path = orrery, pg_temp set enable_seqscan = off as $$
  select json_build_object(
    'workers', (select count(*) from worker where not lost),
    'cancelled', (select coalesce(json_agg(json_build_object('tenant', l.tenant_id, 'runId', l.run_id, 'cancel', l.cancel::json) order by l.tenant_id, l.run_id), '[]')
      from run_live l where l.worker_id = p_worker and l.state = 'running' and l.cancel is not null),
    'tenantRevisions', (select coalesce(json_object_agg(t.tenant_id, t.applied_revision), '{}')
      from tenant t where t.tenant_id in (select l.tenant_id from run_live l where l.worker_id = p_worker and l.state = 'running'))) $$;

-- One turn of a worker in one transaction: heartbeat and fence, marks, outcomes, settles, outbox, releases, promotion,
-- claim. A verdict per item, never an error for content. p_tick makes it safe to send again when its commit was not heard.
create function tick(p_worker uuid, p_epoch int, p_tick bigint, p_now timestamptz, p_marks json, p_outcomes json, p_settles json, p_releases json,
  p_max int, p_low bigint, p_news boolean) returns json
language plpgsql security definer set search_path = orrery, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  v_tick bigint;
  v_replay boolean;
  v_stored int[];
  v_duplicate int[];
  v_tenants text[];
  v_answer jsonb := '{}';
  v_claimed json;
begin
  -- Heartbeat, fence and lock in one: a rescuer waits for this row, then sees what this tick stored.
  select w.tick into v_tick from worker w where w.tenant_id = '_site' and w.worker_id = p_worker and w.epoch = p_epoch and not w.lost for no key update;
  if not found then raise exception 'worker fenced' using errcode = 'OR001'; end if;
  -- A turn that was given up and sent again, and arrives after all: nobody hears its claims.
  if v_tick > p_tick then raise exception 'tick % came after %', p_tick, v_tick using errcode = '40001'; end if;
  v_replay := v_tick = p_tick;
  update worker w set beat = now(), tick = p_tick where w.tenant_id = '_site' and w.worker_id = p_worker;

  if p_marks is not null then
    select * into v_stored, v_duplicate from store_marks(p_marks, p_worker);
    if v_replay then
      select array_agg(x.n) into v_stored from json_to_recordset(p_marks) x(n int, tenant text, run uuid, fence int)
      left join lateral (select r.fence from run r where r.tenant_id = x.tenant and r.run_id = x.run limit 1) r on true
      where x.n = any (v_stored || v_duplicate) or r.fence = x.fence;
    end if;
    v_answer := v_answer || jsonb_build_object('marks', jsonb_build_object('stored', v_stored, 'duplicate', v_duplicate));
  end if;

  if p_outcomes is not null then
    select * into v_stored, v_duplicate from store_outcomes(p_outcomes, p_worker);
    if v_replay then
      select array_agg(x.n) into v_stored from json_to_recordset(p_outcomes) x(n int, tenant text, run uuid, fence int, step text, index int, attempt int)
      where exists (select 1 from attempt a where a.tenant_id = x.tenant and a.run_id = x.run and a.step_id = x.step and a.index = x.index and a.attempt = x.attempt and a.fence = x.fence);
    end if;
    v_answer := v_answer || jsonb_build_object('outcomes', jsonb_build_object('stored', v_stored, 'duplicate', v_duplicate));
  end if;

  if p_settles is not null then
    v_tenants := array(select distinct x.tenant from json_to_recordset(p_settles) x(tenant text));
    perform 1 from tenant t where t.tenant_id = any (v_tenants) order by t.tenant_id for no key update;
    v_stored := array(select e from end_runs(p_settles, p_worker) e);
    -- Of the others: those whose run had ended before under the same fence.
    v_duplicate := array(select x.n from json_to_recordset(p_settles) x(n int, tenant text, run uuid, fence int)
      where x.n not in (select unnest(v_stored)) and exists (select 1 from run r where r.tenant_id = x.tenant and r.run_id = x.run and r.fence = x.fence));
    if v_replay then v_stored := v_stored || v_duplicate; end if;
    v_answer := v_answer || jsonb_build_object('settles', jsonb_build_object('stored', v_stored, 'duplicate', v_duplicate));
  end if;

  if p_releases is not null then
    with back as (
      -- The fence moves too: what the worker still says about the run it gave back is nobody's word.
      update run_live l set state = 'queued', worker_id = null, fence = l.fence + 1
      from json_to_recordset(p_releases) x(n int, tenant text, run uuid, fence int)
      where l.tenant_id = x.tenant and l.run_id = x.run and l.fence = x.fence and l.worker_id is not distinct from p_worker returning x.n)
    select array_agg(n) into v_stored from back;
    if v_replay then v_stored := array(select x.n from json_to_recordset(p_releases) x(n int)); end if;
    v_answer := v_answer || jsonb_build_object('releases', jsonb_build_object('stored', v_stored));
  end if;

  if v_tenants is not null then perform promote(v_tenants); end if;

  if v_replay then
    select json_agg(claimed_run(l.*::run_live) order by l.tag) into v_claimed from run_live l where l.worker_id = p_worker and l.state = 'running' and l.claim_tick = p_tick;
  elsif p_max > 0 then
    v_claimed := claim_runs(p_worker, p_tick, p_max, p_low, p_now);
  end if;
  return json_build_object('verdicts', v_answer, 'vtime', (select last_value from vtime), 'claimed', coalesce(v_claimed, '[]'),
    'news', case when p_news then worker_news(p_worker) end);
end $$;

-- Workers without a beat for p_ttl (or p_worker itself) are lost; their runs go back with their tag, so they go first.
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
  update run_live l set state = 'queued', worker_id = null, fence = l.fence + 1 where l.worker_id = any (v_lost) and l.state = 'running';
  get diagnostics v_back = row_count;
  return v_back;
end $$;

-- Repairs what a crash or a lost wake-up may have left; writes nothing where nothing is wrong.
create function sweep() returns int
language plpgsql security definer set search_path = orrery, pg_temp as $$
declare
  v_tenants text[];
  v_rows int;
  v_changed int := 0;
begin
  select array_agg(t.tenant_id order by t.tenant_id) into v_tenants from tenant t
  where t.admitted <> (select count(*) from run_live l where l.tenant_id = t.tenant_id and l.tag is not null);
  if v_tenants is not null then
    perform 1 from tenant t where t.tenant_id = any (v_tenants) order by t.tenant_id for no key update;
    update tenant t set admitted = (select count(*) from run_live l where l.tenant_id = t.tenant_id and l.tag is not null)
    where t.tenant_id = any (v_tenants) and t.admitted <> (select count(*) from run_live l where l.tenant_id = t.tenant_id and l.tag is not null);
    get diagnostics v_changed = row_count;
  end if;

  select array_agg(t.tenant_id order by t.tenant_id) into v_tenants from tenant t where t.max_runs > t.admitted and not t.suspended
    and exists (select 1 from run_live l join dag d on d.tenant_id = l.tenant_id and d.dag_id = l.dag_id
      where l.tenant_id = t.tenant_id and l.state = 'queued' and l.tag is null and not d.pruned and not d.suspended
        and d.concurrency_max > (select count(*) from run_live b where b.tenant_id = l.tenant_id and b.dag_id = l.dag_id and b.tag is not null));
  if v_tenants is not null then v_changed := v_changed + promote(v_tenants); end if;

  delete from worker w where w.lost and w.beat < now() - interval '1 day' and not exists (select 1 from run_live l where l.worker_id = w.worker_id);
  get diagnostics v_rows = row_count;
  v_changed := v_changed + v_rows;
  delete from counter c where c.name like 'denial/%' and c.touched < now() - interval '1 hour';
  get diagnostics v_rows = row_count;
  return v_changed + v_rows;
end $$;
