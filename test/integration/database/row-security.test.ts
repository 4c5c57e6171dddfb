import { expect, it } from "vitest";
import { createTestDatabase } from "../../support/test-database.ts";
it("clones", async () => {
  await using db = await createTestDatabase();
  expect(await db.database.withTenant("acme", (s) => s.query({ text: "select 1::int8 as n, current_user::text as who" }))).toEqual([{ n: 1, who: "orrery_app" }]);
});
