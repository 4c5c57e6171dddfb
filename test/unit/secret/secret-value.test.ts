import { describe, expect, it } from "vitest";
import { isSecretName, secretText } from "../../../src/secret/index.ts";

const text = (value: string) => secretText(Buffer.from(value));

describe("a stored value", () => {
  it("loses one line break at its end and nothing else", () => {
    expect(text("canary-7f3a9c\n")).toEqual({ ok: true, value: "canary-7f3a9c" });
    expect(text("canary-7f3a9c\r\n")).toEqual({ ok: true, value: "canary-7f3a9c" });
    expect(text(" canary\n7f3a9c \n\n")).toEqual({ ok: true, value: " canary\n7f3a9c \n" });
  });

  it.each([
    ["too short to be masked", Buffer.from("1234567\n"), "shorter than 8 bytes"],
    ["too long for a frame", Buffer.alloc(16 * 1024 + 1, "a"), "longer than 16384 bytes"],
    ["no text", Buffer.from([0xff, 0xfe, 0xff, 0xfe, 0xff, 0xfe, 0xff, 0xfe]), "not UTF-8"],
    ["made of control characters", Buffer.from("canary\u00007f3a9c"), "control characters"],
  ])("is refused where it is %s", (_name, bytes, why) => {
    expect(secretText(bytes)).toEqual({
      ok: false,
      why: `it ${why.startsWith("not") ? "is " : why.startsWith("control") ? "holds " : "is "}${why}`,
    });
  });

  it("has a name as a step has: nothing that leads out of a directory", () => {
    expect(["notify_token", "a"].map(isSecretName)).toEqual([true, true]);
    expect(["", "../x", "A", "a.b", "a/b", ".a", "a-b", "a".repeat(64)].map(isSecretName)).toEqual(
      Array(8).fill(false),
    );
  });
});
