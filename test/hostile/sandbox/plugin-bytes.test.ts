import { afterAll, describe, expect, it } from "vitest";
import { openSandbox, outcome, stepRequest } from "./open-sandbox.ts";

const bench = await openSandbox({ hosts: 1, warm: 0 });
afterAll(() => bench[Symbol.asyncDispose]());

describe(`plugin bytes at level ${bench.hosts.facts.level}`, () => {
  it("that are not those of the digest never run: the host hashes them again", async () => {
    const honest = stepRequest("() => ({ a: 1 })").plugin;
    const other = stepRequest("() => ({ a: 2 })").plugin;

    const swapped = await bench.step("", { request: { plugin: { ...other, sha256: honest.sha256 } } });
    const next = await bench.step("() => ({ a: 1 })");

    expect(outcome(swapped)).toBe("poison/SANDBOX_PROTOCOL");
    expect(outcome(next)).toEqual({ a: 1 });
  });
});
