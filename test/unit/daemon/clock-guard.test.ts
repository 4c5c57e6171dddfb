import { describe, expect, it } from "vitest";
import { Gate } from "../../../src/base/index.ts";
import { createClockGuard } from "../../../src/daemon/clock-guard.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { silentLog } from "../../support/silent-log.ts";

function setup() {
  const clock = new FakeClock("2026-11-24T12:00:00.000Z");
  const gate = new Gate();
  const server = { skewMs: 0 };
  const database = { clockSkewMs: () => Promise.resolve(server.skewMs) };
  return { clock, gate, server, guard: createClockGuard({ clock, database, gate, log: silentLog }) };
}

describe("clock guard", () => {
  it("calls a jump suspect at once, before the next watch: the tick in between would claim the slots of five years", () => {
    const { clock, gate, guard } = setup();

    clock.setWall("2031-11-24T12:00:00.000Z");

    expect(guard.isSuspect()).toBe(true);
    expect(gate.isOpen).toBe(false);
  });

  it("goes on calling it suspect, however often it looks, where PostgreSQL's clock jumped along", async () => {
    const { clock, guard } = setup();
    clock.setWall("2031-11-24T12:00:00.000Z");

    for (let looks = 0; looks < 3; looks++) {
      await guard.watch();
      await clock.advance(10_000);
    }

    expect(guard.isSuspect()).toBe(true);
  });

  it("trusts it again when it is right again", async () => {
    const { clock, gate, guard } = setup();
    clock.setWall("2031-11-24T12:00:00.000Z");
    await guard.watch();

    clock.setWall("2026-11-24T12:00:01.000Z");
    await guard.watch();

    expect(guard.isSuspect()).toBe(false);
    expect(gate.isOpen).toBe(true);
  });

  it("follows a clock that is slewed, look by look", async () => {
    const { clock, guard } = setup();

    for (let looks = 1; looks <= 5; looks++) {
      clock.setWall(new Date(clock.now().getTime() + 300_000).toISOString());
      await guard.watch();
    }

    expect(guard.isSuspect()).toBe(false);
  });

  it("is suspect while it differs from PostgreSQL's, and says in which direction", async () => {
    const { gate, server, guard } = setup();
    server.skewMs = -6000;

    await guard.watch();

    expect(guard.isSuspect()).toBe(true);
    expect(gate.reasons[0]?.message).toContain("6000 ms ahead of PostgreSQL's");
  });
});
