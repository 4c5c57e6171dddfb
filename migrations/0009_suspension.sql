-- Break-glass: what a person stopped by hand, past Git, until it expires. A working table; its history is control records.

create table suspension (
  tenant_id text collate "C" not null,
  -- '' = every DAG of the tenant.
  dag_id text collate "C" not null,
  reason text not null,
  ticket text not null,
  subject text not null,
  since timestamptz(3) not null,
  until timestamptz(3) not null,
  primary key (tenant_id, dag_id)
);

alter table suspension enable row level security;
alter table suspension force row level security;
create policy one_tenant on suspension to orrery_app
  using (tenant_id = (select current_setting('orrery.tenant', true)))
  with check (tenant_id = (select current_setting('orrery.tenant', true)));
create policy all_tenants on suspension to orrery_cross using (true) with check (true);
grant select, insert, update, delete on suspension to orrery_app;
