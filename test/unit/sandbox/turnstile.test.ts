import { describe, expect, it } from "vitest";
import { Turnstile } from "../../../src/sandbox/turnstile.ts";

const never = new AbortController().signal;

describe("Turnstile", () => {
  it("lets as many in as it has places, then in the order they came", async () => {
    const turnstile = new Turnstile(1);
    const order: number[] = [];
    const leave = await turnstile.enter(never);
    const waiting = [1, 2, 3].map(async (n) => {
      const out = await turnstile.enter(never);
      order.push(n);
      out();
    });

    leave();
    await Promise.all(waiting);

    expect(order).toEqual([1, 2, 3]);
  });

  it("does not lose a place to one that stopped waiting", async () => {
    const turnstile = new Turnstile(1);
    const leave = await turnstile.enter(never);
    const abort = new AbortController();
    const gone = turnstile.enter(abort.signal);
    const next = turnstile.enter(never);

    abort.abort(new Error("no more"));
    await expect(gone).rejects.toThrow("no more");
    leave();

    await expect(next).resolves.toBeTypeOf("function");
  });

  it("gives a place back once, however often it is told", async () => {
    const turnstile = new Turnstile(1);
    const leave = await turnstile.enter(never);
    leave();
    leave();
    await turnstile.enter(never);
    const abort = new AbortController();
    const third = turnstile.enter(abort.signal);

    abort.abort(new Error("still full"));

    await expect(third).rejects.toThrow("still full");
  });
});
