import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../../..");

it("how a plugin is bundled stands in one place, for shipped and for tenants' own", () => {
  const files = ["scripts", "src/cli/plugin"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  );

  const saying = files.filter((file) => readFileSync(join(root, file), "utf8").includes('globalName: "plugin"'));

  // The canary is a plugin, too, built for Node with the host that it tries.
  expect(saying).toEqual(["scripts/build-sandbox.ts", "src/cli/plugin/bundle-options.ts"]);
});
