import type { TestDatabase } from "../../support/test-database.ts";
import type { Kind, Surface } from "./matrix.ts";

interface Table extends Surface {
  readonly forced: boolean;
  readonly policies: readonly string[];
  /** First columns of its keys and unique indexes. */
  readonly leads: readonly string[];
  readonly changers: readonly string[];
  readonly guarded: boolean;
}

/** DESIGN law 5: rows that nobody changes. */
const ledger: ReadonlySet<string> = new Set([
  ...["dag_version", "plugin_version", "approval", "run", "attempt", "output", "record", "run_key"],
]);

/** And those that move with the work. A table of neither list has no rule yet. */
const working: readonly string[] = [
  ...["run_live", "step_live", "worker", "tenant", "counter", "lease", "watermark", "skip_live", "condition", "event"],
  ...["blob", "outbox", "batch", "dag", "site", "suspension", "migration"],
];

const siteWide = "names no tenant: what was migrated";

export async function tables(db: TestDatabase): Promise<Kind<Table>> {
  const surfaces = await db.admin<{
    name: string;
    forced: boolean;
    policies: string[];
    leads: string[];
    changers: string[];
    guarded: boolean;
  }>(
    `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
       array(select polname::text from pg_policy where polrelid = c.oid order by 1) as policies,
       array(select distinct a.attname::text from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
         where i.indrelid = c.oid and (i.indisunique or i.indisprimary)) as leads,
       array(select r.rolname::text from pg_roles r where r.rolname in ('orrery_app', 'orrery_cross')
         and (has_table_privilege(r.oid, c.oid, 'update') or has_table_privilege(r.oid, c.oid, 'delete')
           or has_table_privilege(r.oid, c.oid, 'truncate')) order by 1) as changers,
       exists(select 1 from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal) as guarded
     from pg_class c where c.relnamespace = 'orrery'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
  );
  return {
    title: "Tables",
    source: "Every table of the migrated database. A ledger table is insert-only.",
    surfaces,
    rules: [
      { name: "row-level security is forced", check: ({ forced }) => (forced ? null : "not forced") },
      {
        name: "one tenant a transaction",
        check: ({ policies }) => (policies.includes("one_tenant") ? null : `policies ${policies.join()}`),
      },
      {
        name: "the tenant leads every key",
        check: ({ leads }) => (leads.every((lead) => lead === "tenant_id") ? null : `led by ${leads.join()}`),
      },
      {
        name: "a ledger row never changes",
        check: ({ name, changers, guarded }) =>
          !ledger.has(name)
            ? "no ledger table"
            : changers.length === 0 && guarded
              ? null
              : `${changers.join()} may change it${guarded ? "" : ", no trigger"}`,
      },
    ],
    exemptions: [
      ["migration", "row-level security is forced", siteWide],
      ["migration", "one tenant a transaction", siteWide],
      ["migration", "the tenant leads every key", siteWide],
      ...working.map((name) => [name, "a ledger row never changes", "changes with the work"] as const),
    ],
  };
}

interface CrossFunction extends Surface {
  readonly owner: string;
  readonly config: readonly string[] | null;
  readonly open: boolean;
}

export async function crossFunctions(db: TestDatabase): Promise<Kind<CrossFunction>> {
  return {
    title: "Functions that cross tenants",
    source: "Every SECURITY DEFINER function; test/integration/database/row-security.test.ts holds the closed list.",
    surfaces: await db.admin(
      `select proname as name, pg_get_userbyid(proowner)::text as owner, proconfig as config,
         has_function_privilege('public', oid, 'execute') as open
       from pg_proc where pronamespace = 'orrery'::regnamespace and prosecdef`,
    ),
    rules: [
      {
        name: "pinned search_path",
        check: ({ config }) => (config?.includes("search_path=orrery, pg_temp") === true ? null : "not pinned"),
      },
      { name: "owner without login", check: ({ owner }) => (owner === "orrery_cross" ? null : owner) },
      { name: "closed to the public", check: ({ open }) => (open ? "open" : null) },
    ],
  };
}
