-- Ledger tables: insert-only for every role. No role is granted update, delete or truncate, and a statement trigger
-- refuses them to the owner too. Retention drops whole partitions, in an owner job, after their records are anchored.

create function refuse_change() returns trigger language plpgsql set search_path = orrery, pg_temp as $$
begin
  raise exception 'ledger table % is insert-only', tg_table_name using errcode = 'OR003';
end $$;

create table dag_version (
  tenant_id text collate "C" not null,
  dag_id text collate "C" not null,
  spec_hash bytea not null check (octet_length(spec_hash) = 32),
  commit_id text collate "C" not null,
  spec_text text not null,
  at timestamptz(3) not null,
  primary key (tenant_id, dag_id, spec_hash)
);

-- The admission key, unique for ever per site; so it is not partitioned.
create table run_key (
  tenant_id text collate "C" not null,
  dag_id text collate "C" not null,
  trigger_kind text collate "C" not null,
  trigger_key text collate "C" not null,
  inputs_hash bytea not null,
  run_id uuid not null,
  primary key (tenant_id, dag_id, trigger_kind, trigger_key)
);

create table run (
  tenant_id text collate "C" not null,
  run_id uuid not null,
  run_no bigint not null,
  dag_id text collate "C" not null,
  status text collate "C" not null check (status in ('succeeded', 'failed', 'cancelled', 'timed_out')),
  class text collate "C",
  code text collate "C",
  fence int not null,
  spec_hash bytea not null,
  policy_revision text collate "C" not null,
  snapshot bytea not null,
  trigger_kind text collate "C" not null,
  trigger_key text collate "C" not null,
  schedule text collate "C",
  slot timestamptz(3),
  inputs_text text not null,
  inputs_hash bytea not null,
  outputs_hash bytea not null,
  run_token bytea not null,
  rationale text not null,
  actor_kind text collate "C" not null,
  actor_subject text not null,
  actor_key text,
  trace_id text collate "C" not null,
  context_now timestamptz(3) not null,
  context_seed bytea not null,
  queued_at timestamptz(3) not null,
  started_at timestamptz(3),
  ended_at timestamptz(3) not null,
  primary key (tenant_id, run_id)
) partition by range (run_id);
create index run_of_dag on run (tenant_id, dag_id, run_id);

create table attempt (
  tenant_id text collate "C" not null,
  run_id uuid not null,
  step_id text collate "C" not null,
  index int not null,
  attempt int not null,
  fence int not null,
  status text collate "C" not null check (status in ('succeeded', 'failed', 'cancelled', 'timed_out')),
  class text collate "C",
  code text collate "C",
  message text,
  started_at timestamptz(3) not null,
  ended_at timestamptz(3) not null,
  step_hash bytea not null,
  step_key bytea not null,
  inputs_hash bytea not null,
  outputs_hash bytea,
  egress text not null,
  logs_hash bytea,
  artifacts text not null,
  primary key (tenant_id, run_id, step_id, index, attempt)
) partition by range (run_id);

-- Values of attempts that succeeded, as canonical text; apart, because they are large and may be erased by partition.
create table output (
  tenant_id text collate "C" not null,
  run_id uuid not null,
  step_id text collate "C" not null,
  index int not null,
  attempt int not null,
  text text not null,
  primary key (tenant_id, run_id, step_id, index, attempt)
) partition by range (run_id);

create table record (
  tenant_id text collate "C" not null,
  seq bigint not null,
  record_id text collate "C" not null,
  batch bigint not null,
  line text not null,
  at timestamptz(3) not null,
  primary key (tenant_id, seq, at)
) partition by range (at);
create index record_by_id on record (tenant_id, record_id);

create function guard_ledger(p_table regclass) returns void language plpgsql set search_path = orrery, pg_temp as $$
begin
  execute format('create trigger insert_only before update or delete or truncate on %s for each statement execute function refuse_change()', p_table);
  execute format('alter table %s enable row level security', p_table);
  execute format('alter table %s force row level security', p_table);
end $$;

-- The least UUIDv7 of an instant: run_id partitions are ranges of its first 48 bits.
create function first_run_id(p_at timestamptz) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from p_at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;

-- Owner's job: the month before p_now, its own, and p_ahead months. A partition named directly has no grant, and its
-- own forced row security and trigger: the parent's do not guard it.
create function make_partitions(p_now timestamptz, p_ahead int) returns int language plpgsql set search_path = orrery, pg_temp as $$
declare
  v_made int := 0;
  v_parent text;
  v_name text;
  v_from timestamptz;
  v_to timestamptz;
  v_bounds text;
begin
  -- Two daemons that start together would both find the partition missing.
  perform pg_advisory_xact_lock(hashtext('orrery.make_partitions'));
  for i in -1..p_ahead loop
    v_from := (date_trunc('month', p_now at time zone 'UTC') + make_interval(months => i)) at time zone 'UTC';
    v_to := (date_trunc('month', p_now at time zone 'UTC') + make_interval(months => i + 1)) at time zone 'UTC';
    foreach v_parent in array array['run', 'attempt', 'output', 'record'] loop
      v_name := format('%s_%s', v_parent, to_char(v_from at time zone 'UTC', 'YYYY_MM'));
      continue when to_regclass(format('%I', v_name)) is not null;
      v_bounds := case when v_parent = 'record' then format('(%L) to (%L)', v_from, v_to)
        else format('(%L) to (%L)', first_run_id(v_from), first_run_id(v_to)) end;
      execute format('create table %I partition of %I for values from %s', v_name, v_parent, v_bounds);
      perform guard_ledger(v_name::regclass);
      v_made := v_made + 1;
    end loop;
  end loop;
  return v_made;
end $$;

revoke execute on function guard_ledger(regclass), make_partitions(timestamptz, int), refuse_change() from public;
select guard_ledger(t::regclass) from unnest(array['dag_version', 'run_key', 'run', 'attempt', 'output', 'record']) t;
