import { createHash, randomBytes } from "node:crypto";
import { copyInto, lengthOf } from "./realm-bytes.ts";

/** Fills bytes, also those of a realm. */
export type Fill = (target: Uint8Array) => void;

/**
 * The bytes behind every chance of a step: SHA-256 in counter mode over the run's seed and the step's place in it, so
 * that two steps differ, and two attempts or replays of one step do not.
 */
export function seededFill(seed: string, stepId: string, index: number): Fill {
  let block: Uint8Array = new Uint8Array(0);
  let counter = 0;
  return (target) => {
    const length = lengthOf(target);
    for (let at = 0; at < length; ) {
      if (block.length === 0)
        block = createHash("sha256")
          .update(`${seed}\n${stepId}\n${String(index)}\n${String(counter++)}`)
          .digest();
      const taken = block.subarray(0, length - at);
      copyInto(target, taken, at);
      at += taken.length;
      block = block.subarray(taken.length);
    }
  };
}

export const machineFill: Fill = (target) => {
  copyInto(target, randomBytes(lengthOf(target)));
};
