import { Fault } from "../base/index.ts";
import type { Connection } from "./database.ts";
import { migrationLock } from "./migrate.ts";

// From 16 on, who made a role may grant it but not become it.
const maySet = (role: string): string =>
  `pg_has_role(current_user, '${role}', case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end)`;

/**
 * Roles and schema. orrery_owner migrates and runs no query of the daemon; orrery_app is what the daemon's queries run
 * as; orrery_cross owns the closed list of cross-tenant functions. noinherit: the owner may give functions away to
 * orrery_cross, but its policy must not count for the owner.
 */
const bootstrap = `
select pg_advisory_xact_lock(${migrationLock});
do $$ begin
  if to_regrole('orrery_owner') is null then create role orrery_owner nologin noinherit; end if;
  if to_regrole('orrery_app') is null then create role orrery_app login; end if;
  if to_regrole('orrery_cross') is null then create role orrery_cross nologin; end if;
-- Roles belong to the whole server: a daemon of another database may make them in this very moment.
exception when duplicate_object or unique_violation then null;
end $$;
do $$ begin
  if not pg_has_role('orrery_owner', 'orrery_cross', 'member') then grant orrery_cross to orrery_owner; end if;
  if current_user <> 'orrery_app' and not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('grant orrery_owner, orrery_app to %I', current_user);
  end if;
end $$;
create schema if not exists orrery authorization orrery_owner`;

/** Makes what is missing; Fault DATABASE_UNFIT that says which statements an administrator has to run where it may not. */
export async function ensureRoles(admin: Connection): Promise<void> {
  const [row] = await admin.query<{ ready: boolean }>({
    text: `select to_regnamespace('orrery') is not null and to_regrole('orrery_owner') is not null
      and to_regrole('orrery_app') is not null and to_regrole('orrery_cross') is not null
      and case when to_regrole('orrery_owner') is null or to_regrole('orrery_app') is null then false
        else ${maySet("orrery_owner")} and ${maySet("orrery_app")} end as ready`,
  });
  if (row?.ready === true) return;
  try {
    await admin.query({ text: bootstrap });
  } catch (cause) {
    throw new Fault(
      "DATABASE_UNFIT",
      "the roles orrery_owner, orrery_app, orrery_cross and the schema orrery are not all there and this role may not make them: give it CREATEROLE and CREATE on the database, or let an administrator do it",
      { cause },
    );
  }
}
