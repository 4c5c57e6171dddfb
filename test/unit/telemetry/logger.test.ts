import { describe, expect, it } from "vitest";
import { createLogger, createMetrics, createRedact } from "../../../src/telemetry/index.ts";

function setup(literals: readonly string[] = []) {
  const lines: string[] = [];
  const log = createLogger({
    level: "debug",
    redact: createRedact(() => literals),
    destination: { write: (line: string) => void lines.push(line) },
  });
  return { log, lines };
}

describe("logger", () => {
  it("writes one JSON object a line with the fields of its children", () => {
    const { log, lines } = setup();

    log.with({ tenant: "acme", dagId: "hello" }).info({ runId: "r1", status: "succeeded" }, "run settled");

    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "info",
      tenant: "acme",
      dagId: "hello",
      runId: "r1",
      status: "succeeded",
      msg: "run settled",
    });
  });

  it("masks secrets wherever they stand: message, field, error message and stack", () => {
    const { log, lines } = setup(["s3cr3t-value"]);
    const error = new Error("call failed: Bearer abcdefgh12345678 refused s3cr3t-value");

    log.error(
      { error, url: "postgres://user:pass-word@db/x", nested: { token: "s3cr3t-value" } },
      "Authorization: Bearer zzzzzzzzzzzz",
    );

    expect(lines.join("")).not.toMatch(/s3cr3t-value|abcdefgh12345678|zzzzzzzzzzzz|pass-word/);
    expect(lines.join("")).toContain("[redacted]");
  });

  it("masks private keys and JWTs by their shape", () => {
    const redact = createRedact();

    const text = redact(
      "x -----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY----- y eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl z",
    );

    expect(text).toBe("x [redacted] y [redacted] z");
  });

  it("masks a private key whose end was cut off, as it is and inside JSON", () => {
    const { log, lines } = setup();
    const cut = `-----BEGIN RSA PRIVATE KEY-----\n${"MIIEpAIBAAKCAQEA7bq\n".repeat(20)}`;

    log.error({ error: new Error(`cannot read ${cut}`) }, "a line that had no room for the rest");

    expect(createRedact()(`x ${cut}`)).toBe("x [redacted]");
    expect(lines.join("")).not.toContain("MIIEpAIB");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ msg: "a line that had no room for the rest" });
  });

  it("masks a token behind an escaped newline of a JSON line", () => {
    const { log, lines } = setup();

    log.info({ text: "first\neyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl\nBearer abcdefgh12345678" }, "said");

    expect(lines.join("")).not.toMatch(/eyJ|abcdefgh12345678/);
  });

  it.each([
    "eyJ-",
    "eyJaaaaa.",
    "eyJ-aaaaa.bbbbb-",
    "-----BEGIN PRIVATE KEY-----",
    "Bearer ",
    "://a:",
    "AGE-SECRET-KEY-1A",
  ])("reads a megabyte of %s in linear time: a step chooses the text, the daemon's loop reads it", (unit) => {
    const redact = createRedact();
    const text = unit.repeat((1024 * 1024) / unit.length);
    const began = performance.now();

    redact(text);

    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe("metrics", () => {
  it("names the three metrics of the mission with tenant and status, all at 0 before the first run", async () => {
    const metrics = createMetrics();

    metrics.openTenant("acme");
    metrics.runEnded("acme", "succeeded", 0.2);
    const text = await metrics.render(new Map([["acme", 3]]));

    expect(text).toContain('orchestrator_runs_total{tenant="acme",status="succeeded"} 1');
    expect(text).toContain('orchestrator_runs_total{tenant="acme",status="failed"} 0');
    expect(text).toContain('orchestrator_run_duration_seconds_count{tenant="acme",status="succeeded"} 1');
    expect(text).toContain('orchestrator_queue_depth{tenant="acme"} 3');
  });

  it("prints a tenant on every sample", async () => {
    const metrics = createMetrics();

    metrics.openTenant("acme");
    const text = await metrics.render(new Map());

    const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(samples.length).toBeGreaterThan(10);
    expect(samples.filter((line) => !line.includes('tenant="acme"'))).toEqual([]);
  });
});
