-- The audit outbox: drain, seal.

-- p_batch null: counts what waits. Else marks up to p_limit bodies for p_batch, oldest first, until their texts pass
-- p_max_bytes (a first one always goes in; those that it marked before stay in it), closes the open skip ranges of the tenants in it and those of an earlier UTC day, and answers all
-- of the batch. The caller runs it in one REPEATABLE READ transaction: horizons must be of the same instant.
create function drain(p_batch bigint, p_limit int, p_max_bytes bigint, p_now timestamptz)
returns table (part text, tenant_id text, dag_id text, run_id uuid, name text, text text, count bigint, from_utc text, to_utc text)
language plpgsql security definer set search_path = orrery, pg_temp as $$
#variable_conflict use_column
declare
  v_day timestamptz := date_trunc('day', p_now at time zone 'UTC') at time zone 'UTC';
  -- A denial counts on while its minute lasts, and a little longer for requests that began in it.
  v_minute timestamptz := p_now - interval '70 seconds';
  v_tenants text[];
  v_marked bigint;
  v_bytes bigint;
begin
  if p_batch is null then
    return query select 'pending', null, null, null::uuid, null, null, count(*), utc(min(w.at)), null
    from (select o.at from outbox o where o.minute is null or o.minute <= v_minute
      union all select s.to_slot from skip_live s where not s.open or s.from_slot < v_day) w(at);
    return;
  end if;

  select count(*), coalesce(sum(octet_length(m.body)), 0) into v_marked, v_bytes from outbox m where m.batch = p_batch;
  update outbox o set batch = p_batch from (
    select w.tenant_id, w.record_id, sum(octet_length(w.body)) over (order by w.at, w.tenant_id, w.record_id) - octet_length(w.body) as before,
      row_number() over (order by w.at, w.tenant_id, w.record_id) as place
    from (select * from outbox x where x.batch is null and (x.minute is null or x.minute <= v_minute)
      order by x.at, x.tenant_id, x.record_id limit greatest(p_limit - v_marked, 0)) w) take
  where o.tenant_id = take.tenant_id and o.record_id = take.record_id
    and (v_bytes + take.before <= p_max_bytes or (v_marked = 0 and take.place = 1));

  select array_agg(distinct t.tenant_id) into v_tenants from (
    select o.tenant_id from outbox o where o.batch = p_batch
    union select s.tenant_id from skip_live s where s.batch = p_batch or (s.batch is null and (not s.open or s.from_slot < v_day))) t;
  update skip_live s set open = false, batch = p_batch where s.batch is null and s.tenant_id = any (v_tenants);

  return query
  select 'body', o.tenant_id, o.dag_id, o.run_id, o.record_id, o.body, o.count, null, null
  from outbox o where o.batch = p_batch order by o.tenant_id, o.dag_id, o.run_id, o.record_id;
  return query
  select 'skip', s.tenant_id, s.dag_id, null::uuid, s.schedule, s.reason, s.count, utc(s.from_slot), utc(s.to_slot)
  from skip_live s where s.batch = p_batch order by s.tenant_id, s.dag_id, s.schedule, s.from_slot;
  return query
  select 'chain', t.tenant_id, null, null::uuid, null, c.note, coalesce(c.value, 0), null, utc(least(
    (select min(w.next_due) from watermark w where w.tenant_id = t.tenant_id),
    (select min(l.slot) from run_live l where l.tenant_id = t.tenant_id),
    -- A run that ended and waits for a later batch: its slot stands in no record yet.
    (select min(o.slot) from outbox o where o.tenant_id = t.tenant_id and o.batch is distinct from p_batch)))
  from (select distinct x.id from unnest(v_tenants || '_site'::text) x(id) where x.id is not null) t(tenant_id)
  left join counter c on c.tenant_id = t.tenant_id and c.name = 'audit' order by t.tenant_id;
end $$;

-- Record rows in, outbox of the batch out, batch done: one transaction. False where it was done before.
create function seal(p_batch bigint, p_records json) returns boolean
language plpgsql security definer set search_path = orrery, pg_temp as $$
#variable_conflict use_column
declare
  v_state text;
  v_bodies bigint;
  v_skips bigint;
begin
  select b.state into v_state from batch b where b.batch = p_batch for no key update;
  if not found then raise exception 'batch % was never prepared', p_batch using errcode = 'OR002'; end if;
  if v_state = 'done' then return false; end if;

  -- Rows before the counters: a seal that leaves a gap or a body behind must fail whole.
  if exists (
    select 1 from (select x.tenant, min(x.seq) as first, max(x.seq) as last, count(*) as n from json_to_recordset(p_records) x(tenant text, seq bigint) group by x.tenant) r
    left join counter c on c.tenant_id = r.tenant and c.name = 'audit'
    where r.first <> coalesce(c.value, 0) + 1 or r.last - r.first + 1 <> r.n) then
    raise exception 'batch % does not follow its chains', p_batch using errcode = 'OR002';
  end if;
  delete from outbox o where o.batch = p_batch;
  get diagnostics v_bodies = row_count;
  delete from skip_live s where s.batch = p_batch;
  get diagnostics v_skips = row_count;
  if v_bodies + v_skips <> json_array_length(p_records) then
    raise exception 'batch % seals % records of % bodies', p_batch, json_array_length(p_records), v_bodies + v_skips using errcode = 'OR002';
  end if;

  insert into record (tenant_id, seq, record_id, batch, line, at)
  select x.tenant, x.seq, x.record, p_batch, x.line, x.at from json_to_recordset(p_records) x(tenant text, seq bigint, record text, line text, at timestamptz);
  insert into counter as c (tenant_id, name, value, note)
  select distinct on (x.tenant) x.tenant, 'audit', x.seq, x.line from json_to_recordset(p_records) x(tenant text, seq bigint, line text) order by x.tenant, x.seq desc
  on conflict (tenant_id, name) do update set value = excluded.value, note = excluded.note, touched = now();
  update batch b set state = 'done' where b.batch = p_batch;
  return true;
end $$;
