import { Fault } from "../../base/index.ts";

const corrupt = (why: string): Fault => new Fault("REPO_CORRUPT", `bad delta: ${why}`);

/** Both sizes that stand in front of a delta, and where its instructions begin. */
export interface DeltaHeader {
  readonly baseBytes: number;
  readonly resultBytes: number;
  readonly start: number;
}

export function readDeltaHeader(delta: Buffer): DeltaHeader {
  const base = readSize(delta, 0);
  const result = readSize(delta, base.next);
  return { baseBytes: base.value, resultBytes: result.value, start: result.next };
}

/** Little-endian base 128. In floats: a shift by 32 or more would wrap to a small, wrong size. */
function readSize(delta: Buffer, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let at = start, scale = 1; at < start + 7; at++, scale *= 128) {
    const byte = delta[at];
    if (byte === undefined) throw corrupt("cut off");
    value += (byte & 127) * scale;
    if (byte < 128) return { value, next: at + 1 };
  }
  throw corrupt("size out of range");
}

/** Applies a delta. The caller has compared `header.resultBytes` with its cap before anything is allocated here. */
export function applyDelta(base: Buffer, delta: Buffer, header: DeltaHeader): Buffer {
  if (header.baseBytes !== base.length) throw corrupt("base size differs");
  const job: Job = { base, delta, out: Buffer.allocUnsafe(header.resultBytes), at: header.start, filled: 0 };
  while (job.at < delta.length) {
    const op = delta[job.at++] ?? 0;
    if (op >= 128) copyFromBase(op, job);
    else if (op > 0) copyFromDelta(op, job);
    else throw corrupt("reserved instruction");
  }
  if (job.filled !== job.out.length) throw corrupt("result size differs");
  return job.out;
}

interface Job {
  readonly base: Buffer;
  readonly delta: Buffer;
  readonly out: Buffer;
  at: number;
  filled: number;
}

/** Bits 0 to 3 of the instruction announce bytes of the offset, bits 4 to 6 those of the size. */
function copyFromBase(op: number, job: Job): void {
  let [offset, size] = [0, 0];
  for (let bit = 0; bit < 7; bit++) {
    if ((op & (1 << bit)) === 0) continue;
    const byte = job.delta[job.at++];
    if (byte === undefined) throw corrupt("cut off");
    if (bit < 4) offset += byte * 2 ** (8 * bit);
    else size += byte * 2 ** (8 * (bit - 4));
  }
  if (size === 0) size = 0x10000;
  if (offset + size > job.base.length || job.filled + size > job.out.length) throw corrupt("copy out of range");
  job.base.copy(job.out, job.filled, offset, offset + size);
  job.filled += size;
}

function copyFromDelta(size: number, job: Job): void {
  if (job.at + size > job.delta.length || job.filled + size > job.out.length) throw corrupt("insert out of range");
  job.delta.copy(job.out, job.filled, job.at, job.at + size);
  job.at += size;
  job.filled += size;
}
