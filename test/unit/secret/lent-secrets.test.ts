import { describe, expect, it } from "vitest";
import { createLentSecrets } from "../../../src/secret/index.ts";
import { createRedact } from "../../../src/telemetry/index.ts";

describe("values that are lent out", () => {
  it("are masked in the daemon's own texts while a step holds them and for minutes after", () => {
    let now = 0;
    const lent = createLentSecrets(() => now);
    const redact = createRedact(() => lent.literals());
    const line = JSON.stringify({ msg: 'answer "canary\\7f3a9c" came late' });

    const giveBack = lent.lend(['"canary\\7f3a9c"']);
    const held = redact(line);
    giveBack();
    now = 9 * 60_000;
    const soonAfter = redact(line);
    now = 11 * 60_000;
    const forgotten = redact(line);

    expect(held).not.toContain("7f3a9c");
    expect(soonAfter).toBe(held);
    expect(forgotten).toBe(line);
    expect(lent.literals()).toEqual([]);
  });

  it("are masked where they are eight bytes and fewer letters", () => {
    const lent = createLentSecrets(() => 0);
    lent.lend(["пароль"]);

    expect(createRedact(() => lent.literals())("x пароль y")).toBe("x [redacted] y");
  });

  it("are masked whole where one stands in another", () => {
    const lent = createLentSecrets(() => 0);
    lent.lend(["password1"]);
    lent.lend(["password1-and-more"]);

    expect(createRedact(() => lent.literals())("x password1-and-more y")).toBe("x [redacted] y");
  });

  it("stay while another step holds the same value, however often one gives it back", () => {
    let now = 0;
    const lent = createLentSecrets(() => now);
    const first = lent.lend(["canary-7f3a9c"]);
    lent.lend(["canary-7f3a9c"]);

    first();
    first();
    now = 3_600_000;

    expect(lent.literals()).toContain("canary-7f3a9c");
  });
});
