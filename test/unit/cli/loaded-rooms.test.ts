import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../../../src");
const statement = /^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)"/gms;

/** Rooms of all modules that are loaded before the first line of this one runs: dynamic imports and types are not. */
function roomsOf(entry: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, target] of readFileSync(file, "utf8").matchAll(statement)) visit(join(dirname(file), target ?? ""));
  };
  visit(join(src, entry));
  return new Set([...seen].map((file) => relative(src, file).split("/")[0] ?? ""));
}

describe("a developer's turn waits for no room that it does not use", () => {
  it("a build of a plugin: none that runs something", () => {
    const rooms = roomsOf("cli/commands/plugin.ts");

    for (const room of ["reconciler", "compute", "sandbox", "worker", "identity", "telemetry"])
      expect([...rooms]).not.toContain(room);
    expect([...rooms]).toContain("spec");
  });

  it.each(["cli/local/local-command.ts", "cli/local/local-session.ts"])(
    "a local run (%s): none of a daemon",
    (entry) => {
      const rooms = roomsOf(entry);

      for (const room of ["identity", "api", "daemon", "scheduler", "recorder", "signer", "database"])
        expect([...rooms]).not.toContain(room);
      expect([...rooms]).toContain("sandbox");
    },
  );
});
