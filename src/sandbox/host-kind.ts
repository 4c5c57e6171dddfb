import type { HostKind } from "./host-argv.ts";
import type { StepRequest } from "./step-request.ts";

const mebibyte = 1024 * 1024;

/** The smallest launch class that fits: memory 128Mi then doubling, scratch 16Mi, 64Mi then doubling. */
export function hostKindOf(request: StepRequest): HostKind {
  const { memoryBytes, scratchBytes } = request.limits;
  return {
    broker: request.network.length > 0,
    memoryBytes: doubled(128 * mebibyte, memoryBytes),
    scratchBytes: scratchBytes <= 16 * mebibyte ? 16 * mebibyte : doubled(64 * mebibyte, scratchBytes),
  };
}

function doubled(from: number, atLeast: number): number {
  let size = from;
  while (size < atLeast) size *= 2;
  return size;
}

export const isSameKind = (a: HostKind, b: HostKind): boolean =>
  a.broker === b.broker && a.memoryBytes === b.memoryBytes && a.scratchBytes === b.scratchBytes;

/** What a host is bound to: only requests of the same text may share one, one after the other. */
export function bindingKey(request: StepRequest): string {
  const { plugin, limits } = request;
  return JSON.stringify([
    request.tenant,
    plugin.sha256,
    plugin.isolation,
    plugin.nondeterministic,
    [...plugin.builtins].sort(),
    [...request.network].sort(),
    limits.memoryBytes,
    hostKindOf(request).scratchBytes,
  ]);
}
