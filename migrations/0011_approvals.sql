-- Which approvals let a commit in, kept for the tenants whose DAG versions and applied revisions it became: a run's record
-- names them years after the refs are gone. A ledger table: insert-only.

create table approval (
  tenant_id text collate "C" not null,
  -- The commit that they let in.
  commit_id text collate "C" not null,
  -- Of the approval's blob.
  sha256 bytea not null check (octet_length(sha256) = 32),
  -- What the approver named.
  head text collate "C" not null,
  plan_hash bytea not null check (octet_length(plan_hash) = 32),
  approver text not null,
  -- Fingerprint.
  key text collate "C" not null,
  at timestamptz(3) not null,
  primary key (tenant_id, commit_id, sha256)
);

select guard_ledger('approval');
create policy one_tenant on approval to orrery_app
  using (tenant_id = (select current_setting('orrery.tenant', true)))
  with check (tenant_id = (select current_setting('orrery.tenant', true)));
create policy all_tenants on approval to orrery_cross using (true) with check (true);
grant select, insert on approval to orrery_app;
