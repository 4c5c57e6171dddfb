-- Quotas in time: starts per hour, CPU and artifact bytes per day, and overrides that end by themselves.
-- p_now is the daemon's clock, as for slots and records; hours and days are UTC.

alter table tenant
  add column starts_per_hour int check (starts_per_hour > 0),
  add column day_cpu_ms bigint check (day_cpu_ms > 0),
  add column day_artifact_bytes bigint check (day_artifact_bytes > 0),
  -- The limits in these columns hold until here; null = for good. Then the first of quota_segments that has not ended.
  add column quota_until timestamptz(3),
  add column quota_segments jsonb not null default '[]',
  -- Promotions in the UTC hour starts_hour. Only promote writes them, under this row's lock.
  add column starts_hour timestamptz(3),
  add column starts int not null default 0;
create index tenant_timed on tenant (tenant_id) where quota_until is not null or starts_per_hour is not null;

create function utc_hour(p_at timestamptz) returns timestamptz language sql immutable as $$ select date_trunc('hour', p_at at time zone 'UTC') at time zone 'UTC' $$;
-- Name of a day's counter: day/cpu/2026-11-24 (ms), day/artifacts/2026-11-24 (bytes).
create function day_counter(p_what text, p_at timestamptz) returns text language sql immutable as $$
  select 'day/' || p_what || '/' || to_char(p_at at time zone 'UTC', 'YYYY-MM-DD') $$;

-- Takes over the limits of the time: an override ends without a commit. The caller holds the tenants' locks.
create function turn_quotas(p_tenants text[], p_now timestamptz) returns void
language plpgsql set search_path = orrery, pg_temp as $$
begin
  update tenant t set (weight, max_runs, max_queued, starts_per_hour, day_cpu_ms, day_artifact_bytes, quota_until) = (
    select s.weight, s.max_runs, s.max_queued, s.starts_per_hour, s.day_cpu_ms, s.day_artifact_bytes, s.until
    from jsonb_to_recordset(t.quota_segments) s(until timestamptz, weight int, max_runs int, max_queued int, starts_per_hour int, day_cpu_ms bigint, day_artifact_bytes bigint)
    where s.until is null or s.until > p_now order by s.until nulls last limit 1)
  where t.tenant_id = any (p_tenants) and t.quota_until <= p_now;
end $$;

-- Tenants for which time alone may have opened a way: an override ended, or an hour with starts left has begun.
create function turned_tenants(p_now timestamptz) returns text[]
language sql stable set search_path = orrery, pg_temp set enable_seqscan = off as $$
  select coalesce(array_agg(t.tenant_id order by t.tenant_id), '{}') from tenant t
  where (t.quota_until is not null or t.starts_per_hour is not null)
    and (t.quota_until <= p_now or (t.starts >= t.starts_per_hour and t.starts_hour <> utc_hour(p_now)
      and exists (select 1 from run_live l where l.tenant_id = t.tenant_id and l.state = 'queued' and l.tag is null))) $$;

drop function promote(text[]);
drop function start_refusal(tenant, dag);
drop function admit(json);
drop function tick(uuid, int, bigint, timestamptz, json, json, json, json, int, bigint, boolean);
drop function sweep();
drop function store_outcomes(json, uuid);


-- The one place where a waiting run becomes ready: quota, starts of the hour, per-DAG concurrency, FIFO in a tenant among eligible runs,
-- weighted start tags between tenants. Call it after admission, settle (admitted already lowered) and a quota change.
create function promote(p_tenants text[], p_now timestamptz) returns int
language plpgsql security definer set search_path = orrery, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
declare
  v_promoted int;
begin
  -- Its own statement: the next one must see what the lock waited for.
  perform 1 from tenant where tenant_id = any (p_tenants) order by tenant_id for no key update;
  perform turn_quotas(p_tenants, p_now);
  with room as materialized (
    select t.tenant_id, least(t.max_runs - t.admitted, t.starts_per_hour - case when t.starts_hour = utc_hour(p_now) then t.starts else 0 end) as free, greatest(t.tag, (select last_value from vtime)) as tag, 720720 / t.weight as stride
    from tenant t where t.tenant_id = any (p_tenants) and t.max_runs > t.admitted and not t.suspended
      and (t.starts_per_hour is null or t.starts_hour is distinct from utc_hour(p_now) or t.starts < t.starts_per_hour)
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
    update tenant t set admitted = t.admitted + n.k, tag = n.tag, starts_hour = utc_hour(p_now),
      starts = case when t.starts_hour = utc_hour(p_now) then t.starts else 0 end + n.k
    from (select tenant_id, count(*)::int as k, max(tag) as tag from picked group by tenant_id) n where t.tenant_id = n.tenant_id returning n.k
  )
  select coalesce(sum(k), 0) into v_promoted from counted;
  return v_promoted;
end $$;

-- Why a start of this DAG is refused now, or null. The tenant row is locked by the caller.
create function start_refusal(p_tenant tenant, p_dag dag, p_now timestamptz) returns text
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
  if p_tenant.day_cpu_ms <= (select value from counter where tenant_id = p_tenant.tenant_id and name = day_counter('cpu', p_now)) then return 'CPU_BUDGET_SPENT'; end if;
  if p_tenant.day_artifact_bytes <= (select value from counter where tenant_id = p_tenant.tenant_id and name = day_counter('artifacts', p_now)) then
    return 'ARTIFACT_BUDGET_SPENT'; end if;
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
  perform turn_quotas(array(select distinct x.tenant from json_to_recordset(p_items) x(tenant text)), (select max(x.now) from json_to_recordset(p_items) x(now timestamptz)));
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

    v_code := case when i.closed then 'ADMISSION_CLOSED' else start_refusal(v_tenant, v_dag, i.now) end;
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
    if latest then perform promote(array[i.tenant], i.now); end if;
    return next;
  end loop;
  perform promote(array(select distinct x.tenant from json_to_recordset(p_items) x(tenant text)), (select max(x.now) from json_to_recordset(p_items) x(now timestamptz)));
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
      started timestamptz, ended timestamptz, step_hash bytea, step_key bytea, inputs_hash bytea, outputs_hash bytea, output text, egress text, logs_hash bytea, artifacts text, cpu_ms bigint, artifact_bytes bigint)
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
  ), used as (
    -- In key order: two workers that add to the same days must not wait for each other in a ring.
    insert into counter as c (tenant_id, name, value)
    select u.tenant, u.name, sum(u.value) from (
      select tenant, day_counter('cpu', ended) as name, cpu_ms as value from live where fresh and cpu_ms > 0
      union all select tenant, day_counter('artifacts', ended), artifact_bytes from live where fresh and artifact_bytes > 0) u
    group by u.tenant, u.name order by u.tenant, u.name
    on conflict (tenant_id, name) do update set value = c.value + excluded.value, touched = now()
  )
  select array_agg(n) filter (where fresh), array_agg(n) filter (where not fresh) into stored, duplicate from live;
end $$;

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

  -- With each beat: what time alone has opened.
  if p_news then v_tenants := v_tenants || turned_tenants(p_now); end if;
  if cardinality(v_tenants) > 0 then perform promote(v_tenants, p_now); end if;

  if v_replay then
    select json_agg(claimed_run(l.*::run_live) order by l.tag) into v_claimed from run_live l where l.worker_id = p_worker and l.state = 'running' and l.claim_tick = p_tick;
  elsif p_max > 0 then
    v_claimed := claim_runs(p_worker, p_tick, p_max, p_low, p_now);
  end if;
  return json_build_object('verdicts', v_answer, 'vtime', (select last_value from vtime), 'claimed', coalesce(v_claimed, '[]'),
    'news', case when p_news then worker_news(p_worker) end);
end $$;

-- Repairs what a crash or a lost wake-up may have left; writes nothing where nothing is wrong.
create function sweep(p_now timestamptz) returns int
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
    and (t.starts_per_hour is null or t.starts_hour is distinct from utc_hour(p_now) or t.starts < t.starts_per_hour)
    and exists (select 1 from run_live l join dag d on d.tenant_id = l.tenant_id and d.dag_id = l.dag_id
      where l.tenant_id = t.tenant_id and l.state = 'queued' and l.tag is null and not d.pruned and not d.suspended
        and d.concurrency_max > (select count(*) from run_live b where b.tenant_id = l.tenant_id and b.dag_id = l.dag_id and b.tag is not null));
  v_tenants := v_tenants || turned_tenants(p_now);
  if cardinality(v_tenants) > 0 then v_changed := v_changed + promote(v_tenants, p_now); end if;

  delete from worker w where w.lost and w.beat < now() - interval '1 day' and not exists (select 1 from run_live l where l.worker_id = w.worker_id);
  get diagnostics v_rows = row_count;
  v_changed := v_changed + v_rows;
  delete from counter c where (c.name like 'denial/%' and c.touched < now() - interval '1 hour') or (c.name like 'day/%' and c.touched < now() - interval '3 days');
  get diagnostics v_rows = row_count;
  return v_changed + v_rows;
end $$;

do $$
declare v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'orrery'::regnamespace
    and p.proname = any (array['utc_hour', 'day_counter', 'turn_quotas', 'turned_tenants', 'promote', 'start_refusal', 'admit', 'store_outcomes', 'tick', 'sweep'])
  loop
    execute format('revoke execute on function %s from public', v_function);
    execute format('grant execute on function %s to orrery_cross', v_function);
  end loop;
end $$;
grant execute on function admit(json), promote(text[], timestamptz), sweep(timestamptz),
  tick(uuid, int, bigint, timestamptz, json, json, json, json, int, bigint, boolean) to orrery_app;
grant create on schema orrery to orrery_cross;
alter function admit(json) owner to orrery_cross;
alter function promote(text[], timestamptz) owner to orrery_cross;
alter function tick(uuid, int, bigint, timestamptz, json, json, json, json, int, bigint, boolean) owner to orrery_cross;
alter function sweep(timestamptz) owner to orrery_cross;
revoke create on schema orrery from orrery_cross;
