import { expect, it } from "vitest";
import { Attempt, type AttemptParts } from "../../../src/sandbox/attempt.ts";
import { FrameViolation } from "../../../src/sandbox/frame-reader.ts";

it("ends a host that sends its output in empty pieces: no cap in bytes would ever stop them", () => {
  const id = "0123456789abcdef0123456789abcdef";
  const request = { secrets: {}, limits: { outputBytes: 1024, timeoutMs: 1000 } };
  const parts = { id, request, ports: {}, send: () => undefined, cpuMs: () => 0 } as unknown as AttemptParts;
  const attempt = new Attempt(parts);

  const sendEmpty = (): void => attempt.frame({ t: "chunk", id, stream: "output", n: 0, data: "", last: false });

  expect(sendEmpty).toThrow(FrameViolation);
});
