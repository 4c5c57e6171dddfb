import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { callLater, systemClock } from "../../../src/base/index.ts";

const dayMs = 86_400_000;

describe("waits of the system's clock", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("a wait longer than a timer of Node can hold ends at its time, not at once", async () => {
    let ended = false;
    void systemClock.sleep(90 * dayMs, new AbortController().signal).then(() => (ended = true));

    await vi.advanceTimersByTimeAsync(90 * dayMs - 1);
    expect(ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a call that is cancelled in its second month never comes", () => {
    let calls = 0;
    const cancel = callLater(60 * dayMs, () => (calls += 1));

    vi.advanceTimersByTime(40 * dayMs);
    cancel();
    vi.advanceTimersByTime(60 * dayMs);
    expect(calls).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("an abort ends a long wait and leaves no timer", async () => {
    const stop = new AbortController();
    const wait = systemClock.sleep(90 * dayMs, stop.signal);

    vi.advanceTimersByTime(30 * dayMs);
    stop.abort(new Error("stopped"));

    await expect(wait).rejects.toThrow("stopped");
    expect(vi.getTimerCount()).toBe(0);
  });
});
