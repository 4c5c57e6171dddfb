import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface TunnelLimits {
  readonly idleMs: number;
  readonly maxBytes: number;
}

export interface TunnelEnd {
  readonly reason: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface Tunnel {
  /** Ends it at once. */
  close(reason: string): void;
  readonly ended: Promise<TunnelEnd>;
}

/** Joins a step's connection with its target's and counts; ends both when one ends, idles or passes the cap. */
export function joinTunnel(step: Duplex, target: Socket, limits: TunnelLimits): Tunnel {
  let sentBytes = 0;
  let receivedBytes = 0;
  let finish: (end: TunnelEnd) => void = () => undefined;
  let isOpen = true;
  const ended = new Promise<TunnelEnd>((resolve) => {
    finish = resolve;
  });
  const close = (reason: string): void => {
    if (!isOpen) return;
    isOpen = false;
    step.destroy();
    target.destroy();
    finish({ reason, sentBytes, receivedBytes });
  };
  const count = (sent: number, received: number): void => {
    sentBytes += sent;
    receivedBytes += received;
    if (sentBytes + receivedBytes > limits.maxBytes) close("too_many_bytes");
  };
  step.on("data", (chunk: Buffer) => count(chunk.length, 0));
  target.on("data", (chunk: Buffer) => count(0, chunk.length));
  target.setTimeout(limits.idleMs, () => close("idle"));
  step.once("error", () => close("step_reset"));
  target.once("error", () => close("target_reset"));
  step.once("close", () => close("closed"));
  target.once("close", () => close("closed"));
  step.pipe(target);
  target.pipe(step);
  return { close, ended };
}
