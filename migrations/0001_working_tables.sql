-- Working tables: they change. tenant_id leads every key; rows of the site itself carry tenant_id '_site'.
-- Roles (orrery_owner, orrery_app, orrery_cross) and the schema are made before the first migration, by src/database.

create table tenant (
  tenant_id text collate "C" primary key,
  weight int not null check (weight between 1 and 1000),
  max_runs int not null check (max_runs >= 0),
  max_queued int not null check (max_queued >= 0),
  -- Runs with a tag: ready or running. Only promote, end_runs and sweep write it, under this row's lock.
  admitted int not null default 0 check (admitted >= 0),
  tag bigint not null default 0,
  suspended boolean not null default false,
  applied_revision text collate "C",
  fingerprint text,
  snapshot bytea
) with (fillfactor = 50);

-- The virtual clock of fair queueing: the tag of the newest claimed run. setval is not transactional and need not be.
create sequence vtime minvalue 0 start 0;

create table site (
  tenant_id text collate "C" primary key default '_site' check (tenant_id = '_site'),
  site text collate "C" not null,
  spec_ref text collate "C" not null,
  verified_revision text collate "C",
  signers_sha256 bytea not null,
  trusted_by text collate "C" not null check (trusted_by in ('pinned', 'first_use')),
  tenants text[] collate "C" not null default '{}'
);

-- What is applied now; a pruned row is a tombstone and keeps the name's numbers.
create table dag (
  tenant_id text collate "C" not null references tenant,
  dag_id text collate "C" not null,
  spec_hash bytea not null,
  armed boolean not null,
  suspended boolean not null,
  pruned boolean not null default false,
  concurrency_max int not null check (concurrency_max > 0),
  overlap text collate "C" not null check (overlap in ('queue', 'skip', 'latest')),
  primary key (tenant_id, dag_id)
);

create table watermark (
  tenant_id text collate "C" not null,
  dag_id text collate "C" not null,
  schedule text collate "C" not null,
  slot timestamptz(3) not null,
  next_due timestamptz(3),
  primary key (tenant_id, dag_id, schedule),
  foreign key (tenant_id, dag_id) references dag
) with (fillfactor = 70);
create index watermark_due on watermark (next_due, tenant_id, dag_id, schedule) where next_due is not null;

create table worker (
  tenant_id text collate "C" not null default '_site' check (tenant_id = '_site'),
  worker_id uuid not null,
  name text not null,
  epoch int not null default 1,
  lost boolean not null default false,
  -- Number of the last committed tick: a tick whose commit was not heard is told from one that never was.
  tick bigint not null default 0,
  beat timestamptz not null default now(),
  primary key (tenant_id, worker_id)
) with (fillfactor = 50);

-- Every unfinished run. queued without a tag waits for quota; queued with a tag is ready to be claimed.
create table run_live (
  tenant_id text collate "C" not null,
  run_id uuid not null,
  run_no bigint not null,
  dag_id text collate "C" not null,
  state text collate "C" not null default 'queued' check (state in ('queued', 'running', 'paused')),
  tag bigint,
  fence int not null default 0,
  worker_id uuid,
  claim_tick bigint,
  spec_hash bytea not null,
  policy_revision text collate "C" not null,
  snapshot bytea not null,
  trigger_kind text collate "C" not null,
  trigger_key text collate "C" not null,
  schedule text collate "C",
  slot timestamptz(3),
  -- Queue order in a tenant: (instant, dag_id, run_id).
  instant timestamptz(3) not null,
  inputs_text text not null,
  inputs_hash bytea not null,
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
  -- JSON of who asked to cancel it and why.
  cancel text,
  primary key (tenant_id, run_id),
  foreign key (tenant_id, dag_id) references dag,
  check (state = 'queued' or tag is not null),
  check ((state = 'running') = (worker_id is not null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index run_live_waiting on run_live (tenant_id, dag_id, instant, run_id) where state = 'queued' and tag is null;
create index run_live_ready on run_live (tag) where state = 'queued' and tag is not null;
create index run_live_busy on run_live (worker_id) where state = 'running';
create index run_live_admitted on run_live (tenant_id, dag_id) where tag is not null;
create index run_live_queued on run_live (tenant_id) where state = 'queued';

-- Attempts that have begun and may have had an effect.
create table step_live (
  tenant_id text collate "C" not null,
  run_id uuid not null,
  step_id text collate "C" not null,
  index int not null,
  attempt int not null,
  fence int not null,
  started_at timestamptz(3) not null,
  primary key (tenant_id, run_id, step_id, index, attempt),
  foreign key (tenant_id, run_id) references run_live on delete cascade
);

-- Gap-free numbers: run/<dagId>, event, audit (its note is the last sealed line), denial/... (denials of a minute).
create table counter (
  tenant_id text collate "C" not null,
  name text collate "C" not null,
  value bigint not null,
  note text,
  touched timestamptz not null default now(),
  primary key (tenant_id, name)
) with (fillfactor = 50);

create table lease (
  tenant_id text collate "C" not null default '_site' check (tenant_id = '_site'),
  name text collate "C" not null,
  holder text collate "C" not null,
  epoch bigint not null,
  until timestamptz not null,
  primary key (tenant_id, name)
) with (fillfactor = 50);

-- Ranges of slots that became no run. One open range per schedule; a closed one waits for its record.
create table skip_live (
  tenant_id text collate "C" not null,
  dag_id text collate "C" not null,
  schedule text collate "C" not null,
  from_slot timestamptz(3) not null,
  to_slot timestamptz(3) not null,
  reason text collate "C" not null,
  count bigint not null check (count > 0),
  open boolean not null default true,
  batch bigint,
  primary key (tenant_id, dag_id, schedule, from_slot),
  check (batch is null or not open)
);
create unique index skip_live_open on skip_live (tenant_id, dag_id, schedule) where open;

create table condition (
  tenant_id text collate "C" not null,
  kind text collate "C" not null,
  name text collate "C" not null,
  type text collate "C" not null,
  status text collate "C" not null,
  reason text collate "C" not null,
  message text not null,
  observed_revision text collate "C",
  changed_at timestamptz(3) not null,
  primary key (tenant_id, kind, name, type)
);

create table event (
  tenant_id text collate "C" not null,
  n bigint not null,
  type text collate "C" not null,
  subject text not null,
  body text not null,
  at timestamptz(3) not null,
  primary key (tenant_id, n)
);

create table blob (
  tenant_id text collate "C" not null,
  sha256 bytea not null check (octet_length(sha256) = 32),
  bytes bytea not null,
  primary key (tenant_id, sha256)
);

-- Record bodies that wait for their envelope. minute: a denial that still counts, drained when its minute is over.
create table outbox (
  tenant_id text collate "C" not null,
  record_id text collate "C" not null,
  kind text collate "C" not null,
  dag_id text collate "C",
  run_id uuid,
  slot timestamptz(3),
  body text not null,
  count bigint,
  minute timestamptz(3),
  batch bigint,
  at timestamptz not null default now(),
  primary key (tenant_id, record_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index outbox_waiting on outbox (at) where batch is null;
create index outbox_drained on outbox (batch) where batch is not null;

create table batch (
  tenant_id text collate "C" not null default '_site' check (tenant_id = '_site'),
  batch bigint not null,
  state text collate "C" not null check (state in ('prepared', 'done')),
  at timestamptz(3) not null,
  commit_id text collate "C" not null,
  parent_id text collate "C",
  object_types text[] not null,
  object_bodies bytea[] not null,
  size bigint not null,
  root text collate "C" not null,
  frontier text[] not null,
  records text not null,
  primary key (tenant_id, batch)
);
