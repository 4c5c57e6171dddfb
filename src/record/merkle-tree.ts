import { bytesOfHex, type Hex, hexOf, type Sha256 } from "../base/index.ts";

/** RFC 6962 section 2.1: leaf = SHA-256(00 || bytes). The prefix keeps a leaf from passing as an inner node. */
export function merkleLeaf(bytes: Uint8Array, sha256: Sha256): Uint8Array {
  const input = new Uint8Array(bytes.length + 1);
  input.set(bytes, 1);
  return sha256(input);
}

export interface FrontierState {
  readonly size: number;
  /** Roots of the full subtrees, largest first: one for each set bit of `size`. */
  readonly nodes: readonly Hex[];
}

export const emptyFrontier: FrontierState = { size: 0, nodes: [] };

/** The right edge of an RFC 6962 tree: appends leaves, answers the root, keeps at most 53 hashes. */
export class MerkleFrontier {
  readonly #sha256: Sha256;
  readonly #nodes: Uint8Array[];
  #size: number;

  /** Throws RangeError where the nodes do not fit the size. */
  constructor(sha256: Sha256, state: FrontierState = emptyFrontier) {
    if (!Number.isSafeInteger(state.size) || state.size < 0 || bitCount(state.size) !== state.nodes.length) {
      throw new RangeError("frontier nodes do not fit the size");
    }
    this.#sha256 = sha256;
    this.#nodes = state.nodes.map(bytesOfHex);
    if (this.#nodes.some((node) => node.length !== 32)) throw new RangeError("frontier node is no SHA-256");
    this.#size = state.size;
  }

  get size(): number {
    return this.#size;
  }

  get state(): FrontierState {
    return { size: this.#size, nodes: this.#nodes.map(hexOf) };
  }

  /** `leaf` is a leaf hash (merkleLeaf). */
  append(leaf: Uint8Array): void {
    let node = leaf;
    // Each trailing one bit of the size is a full subtree of equal height that waits on the left. Floats: no `>>`.
    for (let size = this.#size; size % 2 === 1; size = Math.floor(size / 2)) {
      const left = this.#nodes.pop();
      if (left === undefined) throw new RangeError("frontier is broken");
      node = this.#inner(left, node);
    }
    this.#nodes.push(node);
    this.#size++;
  }

  /** The root over all leaves; of no leaf: SHA-256 of nothing. */
  root(): Uint8Array {
    const edge = this.#nodes.toReversed();
    const [last, ...rest] = edge;
    if (last === undefined) return this.#sha256(new Uint8Array(0));
    return rest.reduce((right, left) => this.#inner(left, right), last);
  }

  #inner(left: Uint8Array, right: Uint8Array): Uint8Array {
    const input = new Uint8Array(65);
    input[0] = 1;
    input.set(left, 1);
    input.set(right, 33);
    return this.#sha256(input);
  }
}

function bitCount(size: number): number {
  let bits = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
