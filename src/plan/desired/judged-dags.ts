import type { DecodedDocument } from "../../spec/index.ts";
import type { DesiredDag } from "./desired.ts";

interface Kept {
  readonly path: string;
  /** The era in which it was said. */
  readonly era: object;
  readonly dag: DesiredDag;
}

/**
 * What was said of the Dag documents of one tenant, by document. It is said again where the document is the very one
 * that was judged and all that it was judged by reads the same: so one changed DAG among ten thousand is judged alone.
 */
export class JudgedDags {
  #by: string | null = null;
  #era: object = {};
  readonly #kept = new WeakMap<DecodedDocument, Kept>();

  /** `context`: all that a document is judged by, as data. */
  judgeBy(context: object): void {
    const by = JSON.stringify(context, (_, value: unknown) => (value instanceof Map ? [...value] : value));
    if (by === this.#by) return;
    this.#by = by;
    this.#era = {};
  }

  of(path: string, document: DecodedDocument, judge: () => DesiredDag): DesiredDag {
    const kept = this.#kept.get(document);
    if (kept?.era === this.#era && kept.path === path) return kept.dag;
    const dag = judge();
    this.#kept.set(document, { path, era: this.#era, dag });
    return dag;
  }
}
