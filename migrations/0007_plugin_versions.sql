-- Which bytes a plugin version had when runs of a tenant were first pinned to it. A snapshot forgets what no DAG uses any
-- more; a version that returns with other content must still be known as mutated. A ledger table: insert-only.

create table plugin_version (
  tenant_id text collate "C" not null,
  -- name@version
  plugin text collate "C" not null,
  -- Of the manifest as canonical JSON, which holds the digest of plugin.js.
  sha256 bytea not null check (octet_length(sha256) = 32),
  commit_id text collate "C" not null,
  at timestamptz(3) not null,
  primary key (tenant_id, plugin)
);

select guard_ledger('plugin_version');
create policy one_tenant on plugin_version to orrery_app
  using (tenant_id = (select current_setting('orrery.tenant', true)))
  with check (tenant_id = (select current_setting('orrery.tenant', true)));
create policy all_tenants on plugin_version to orrery_cross using (true) with check (true);
grant select, insert on plugin_version to orrery_app;
