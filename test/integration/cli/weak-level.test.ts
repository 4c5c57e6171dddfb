import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allowsWeak } from "../../../src/cli/local/weak-level.ts";
import { scratchDir } from "../../support/git-fixtures.ts";
import { exampleWorkTree, nobodysEnvironment, orrery } from "./cli-fixture.ts";

/** This process says that it runs on another system: as far as Linux can play one. */
function onPlatform(platform: NodeJS.Platform): Disposable {
  const before = process.platform;
  const set = (value: string): void => void Object.defineProperty(process, "platform", { value });
  set(platform);
  return { [Symbol.dispose]: () => set(before) };
}

/** esbuild is a program of this platform: once started it stays. */
const startBundler = (source: string): Promise<unknown> => orrery("plugin", "build", source, "--check");

describe("where no wall can be had, as on macOS", { timeout: 120_000 }, () => {
  it("run --local runs nothing without a person's consent, and says what would give it", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home, { ORRERY_ALLOW_WEAK: "" });
    const work = exampleWorkTree(home);
    using __ = onPlatform("darwin");

    const ran = await orrery("run", "--local", "acme/hello", "--repo", work);

    expect(ran.exit).toBe(3);
    expect(ran.notes).toContain("LEVEL_TOO_WEAK");
    expect(ran.notes).toMatch(/no wall is known for darwin.*--allow-weak, or ORRERY_ALLOW_WEAK=process/);
    expect(ran.notes).not.toMatch(/ start$/m);
  });

  it.each([
    ["the flag", ["--allow-weak"], ""],
    ["ORRERY_ALLOW_WEAK=process", [], "process"],
  ])("with %s it runs, and says loudly what is not stopped and not limited", async (_name, flags, variable) => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home, { ORRERY_ALLOW_WEAK: variable });
    const work = exampleWorkTree(home);
    using __ = onPlatform("darwin");

    const ran = await orrery("run", "--local", ...flags, "acme/hello", "--repo", work);

    expect(ran.exit).toBe(0);
    expect(ran.out).toContain("level process, nothing recorded");
    expect(ran.notes).toMatch(/^WARNING {2}sandbox level process: no wall is known for darwin/m);
    expect(ran.notes).toMatch(/^WARNING .*stops accidents, not a step that means harm$/m);
    expect(ran.notes).toMatch(/^WARNING {2}not stopped here: .*connect to loopback/m);
    expect(ran.notes).toMatch(/^WARNING {2}not limited here: .*memory outside of the JavaScript heap, CPU time/m);
  });

  it("plugin test asks for the same consent and says the same", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home, { ORRERY_ALLOW_WEAK: "" });
    const work = exampleWorkTree(home);
    await orrery("plugin", "init", "acme/acme.count", "--repo", work);
    await startBundler(`${work}/plugin-src/acme/acme.count`);
    using __ = onPlatform("darwin");
    const test = ["plugin", "test", `${work}/plugin-src/acme/acme.count`];

    const refused = await orrery(...test);
    const ran = await orrery(...test, "--allow-weak");

    expect([refused.exit, refused.notes]).toEqual([3, expect.stringContaining("LEVEL_TOO_WEAK")]);
    expect([ran.exit, ran.out]).toEqual([0, expect.stringContaining("1 of 1 examples ok, sandbox level process")]);
    expect(ran.notes).toMatch(/^WARNING {2}sandbox level process/m);
  });

  it("a step with secrets does not run even then", async () => {
    using home = scratchDir();
    using _ = nobodysEnvironment(home, { ORRERY_ALLOW_WEAK: "process" });
    const work = exampleWorkTree(home);
    await orrery("plugin", "init", "acme/acme.tell", "--repo", work);
    const source = `${work}/plugin-src/acme/acme.tell`;
    const yaml = readFileSync(`${source}/plugin.yaml`, "utf8");
    writeFileSync(
      `${source}/plugin.yaml`,
      yaml.replace("  effects: none", "  needs: { secrets: [token] }\n  effects: none"),
    );
    rmSync(`${source}/examples/three.json`);
    const example = {
      input: { items: [] },
      secrets: { token: "correct-horse-battery" },
      expect: { code: "SECRET_LEVEL" },
    };
    writeFileSync(`${source}/examples/secret.json`, JSON.stringify(example));
    await startBundler(source);
    using __ = onPlatform("darwin");

    const ran = await orrery("plugin", "test", source);

    expect([ran.exit, ran.notes]).toEqual([0, expect.stringContaining("WARNING")]);
    expect(ran.out).toContain("1 of 1 examples ok");
  });
});

it("only the word process consents; any other is a usage error", () => {
  expect(allowsWeak(false, {})).toBe(false);
  expect(allowsWeak(true, {})).toBe(true);
  expect(allowsWeak(false, { ORRERY_ALLOW_WEAK: "process" })).toBe(true);
  expect(() => allowsWeak(true, { ORRERY_ALLOW_WEAK: "1" })).toThrow("ORRERY_ALLOW_WEAK=1");
});
