import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { readSecretValue } from "../../../src/cli/secret/value-input.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";

/** A terminal that is typed into; what it was last switched to, and whether anybody still listens. */
function keyboard() {
  const raw: boolean[] = [];
  const input = Object.assign(new EventEmitter(), {
    isTTY: true,
    setRawMode: (mode: boolean) => void raw.push(mode),
    resume: () => undefined,
    pause: () => undefined,
  });
  const said: string[] = [];
  const terminal = { note: (text: string) => void said.push(text) } as unknown as Terminal;
  const value = readSecretValue(input as unknown as NodeJS.ReadStream, terminal);
  const type = (text: string) => input.emit("data", Buffer.from(text));
  return { input, raw, said, value, type };
}

describe("a value that is typed", () => {
  it("is not shown, and ends with Enter; a character is taken back whole", async () => {
    const { value, type, raw, said } = keyboard();

    for (const piece of ["canary-", "ö", "\u007f", "7f3a\r"]) type(piece);

    expect(await value).toBe("canary-7f3a");
    expect(raw).toEqual([true, false]);
    expect(said.join("")).not.toContain("canary");
  });

  it("of several pasted lines is refused, not cut: the shell would get the rest", async () => {
    const { value, type, raw } = keyboard();

    type("-----BEGIN EXAMPLE-----\rA1b2c3D4\r-----END EXAMPLE-----\r");

    await expect(value).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(/several lines(?!.*A1b2)/) as string,
    });
    expect(raw).toEqual([true, false]);
  });

  it.each([
    ["Ctrl-C", "\u0003"],
    ["the end of the terminal", null],
  ])("is none after %s", async (_, key) => {
    const { value, type, input, raw } = keyboard();

    type("canary-7f3a");
    if (key === null) input.emit("end");
    else type(key);

    await expect(value).rejects.toMatchObject({ code: "USAGE", message: "nothing was set" });
    expect(raw).toEqual([true, false]);
  });
});
