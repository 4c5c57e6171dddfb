import { describe, expect, it } from "vitest";
import { readAhead } from "../../../src/reconciler/lint/read-ahead.ts";

describe("reading ahead", () => {
  it("gives every answer in order, and has asked for the next one before it is wanted", async () => {
    const seen: string[] = [];
    const read = (item: string): Promise<string> => {
      seen.push(`ask ${item}`);
      return Promise.resolve(item.toUpperCase());
    };

    for await (const [item, answer] of readAhead(["a", "b", "c"], read)) seen.push(`${item} is ${answer}`);

    expect(seen).toEqual(["ask a", "ask b", "a is A", "ask c", "b is B", "c is C"]);
  });

  it("ends where there is nothing, and asks nothing", async () => {
    const answers = readAhead([], () => Promise.reject(new Error("asked")));

    expect(await answers.next()).toMatchObject({ done: true });
  });

  it("fails at the item that cannot be read, after all before it", async () => {
    const read = (item: string): Promise<string> =>
      item === "b" ? Promise.reject(new Error("b is broken")) : Promise.resolve(item);
    const seen: string[] = [];
    const all = async (): Promise<void> => {
      for await (const [item] of readAhead(["a", "b", "c"], read)) seen.push(item);
    };

    await expect(all()).rejects.toThrow("b is broken");
    expect(seen).toEqual(["a"]);
  });
});
