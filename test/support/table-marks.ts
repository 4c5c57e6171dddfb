import type { TestDatabase } from "./test-database.ts";

/** A mark of every row by table: its place and the transaction that wrote it. An UPDATE to equal values moves it too. */
export async function tableMarks(db: TestDatabase): Promise<Readonly<Record<string, string>>> {
  const tables = await db.admin<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'orrery' order by 1",
  );
  const marks = tables.map(
    ({ name }) =>
      `select '${name}' as name, coalesce(md5(string_agg(ctid::text || xmin::text, ',' order by ctid)), '') as mark from ${name}`,
  );
  const rows = await db.admin<{ name: string; mark: string }>(marks.join(" union all "));
  return Object.fromEntries(rows.map(({ name, mark }) => [name, mark]));
}
