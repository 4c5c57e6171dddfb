import { canonicalText, hexDigestWith, type UtcText } from "../../../src/base/index.ts";
import { sha256 } from "../../../src/base/node-digest.ts";
import { decodeTree, type Oid } from "../../../src/git/index.ts";
import {
  emptyFrontier,
  type FrontierState,
  recordSchemaName,
  type SealedBatch,
  sealBatch,
} from "../../../src/record/index.ts";
import type { SignAnswer, SignedObject, SignRequest } from "../../../src/signer/index.ts";

interface Body {
  readonly tenant: string;
  readonly bodyText: string;
  readonly count: null;
}

const runtime = { orrery: "0.1.0", node: "20.20.2", tzdata: "2026a", level: "none" } as const;

/** A recorder without database or repository: seals batches, asks, and keeps what the signer answers. */
export class RecorderModel {
  readonly objects = new Map<string, SignedObject>();
  readonly commits: string[] = [];
  readonly #site: string;
  readonly #ends = new Map<string, { readonly seq: number; readonly line: string }>();
  #frontier: FrontierState = emptyFrontier;
  #tree: Oid | null = null;
  #bodies = 0;
  #asked: { readonly request: SignRequest; readonly sealed: SealedBatch } | null = null;

  constructor(site = "hq") {
    this.#site = site;
  }

  /** The request for the next batch with `counts` records by tenant. Asking again gives another batch of that number. */
  next(counts: Readonly<Record<string, number>>, timestamp?: UtcText): SignRequest {
    const bodies = Object.entries(counts).flatMap(([tenant, count]) =>
      Array.from({ length: count }, () => this.#body(tenant)),
    );
    return this.#seal(bodies, timestamp);
  }

  /** A batch of one run whose step list is too long for its line. */
  nextWithStepList(tenant: string): SignRequest {
    const steps = Array.from({ length: 3000 }, (_, i) => ({ stepId: `s${i}`, reason: "x".repeat(100) }));
    const stepsHash = hexDigestWith(sha256)(canonicalText(steps));
    return this.#seal([this.#body(tenant, { dagId: "big", runId: "018f-run", stepsHash, steps })]);
  }

  /** Takes the answer to the last `next`. */
  accept(answer: SignAnswer): SignAnswer {
    if (this.#asked === null) throw new Error("nothing was asked");
    for (const object of answer.objects) this.objects.set(object.oid, object);
    for (const { tenant, seq, line } of this.#asked.sealed.records) this.#ends.set(tenant, { seq, line });
    this.#frontier = this.#asked.sealed.frontier;
    this.#tree = /^tree ([0-9a-f]{40})\n/.exec(Buffer.from(answer.commit.body).toString())?.[1] as Oid;
    this.commits.push(answer.commit.oid);
    return answer;
  }

  #body(tenant: string, over: object = {}): Body {
    const recordId = `control/${String(++this.#bodies).padStart(6, "0")}`;
    const head = { recordId, schema: recordSchemaName, site: this.#site, tenant, kind: "control", runtime };
    return { tenant, bodyText: canonicalText({ ...head, ...over }), count: null };
  }

  #seal(bodies: readonly Body[], timestamp?: UtcText): SignRequest {
    const batch = this.commits.length + 1;
    const instant = timestamp ?? new Date(Date.parse("2026-11-24T00:00:00.000Z") + batch * 5000).toISOString();
    const tenants = [...new Set(bodies.map(({ tenant }) => tenant))];
    const chains = tenants.map((tenant) => {
      const end = this.#ends.get(tenant);
      return { tenant, lastSeq: end?.seq ?? 0, lastLine: end?.line ?? null, horizon: null };
    });
    const seal = { site: this.#site, timestamp: instant, clock: instant, frontier: this.#frontier, runtime };
    const sealed = sealBatch({ ...seal, bodies, skips: [], chains }, sha256);
    const files = [...sealed.segments, ...sealed.stepFiles].map(({ path, bytes }) => ({ path, bytes }));
    const { size, root } = sealed.checkpoint;
    const parentTrees = this.#treesOnTheWay(files.map(({ path }) => path));
    const request = { batch, timestamp: instant, parent: this.commits.at(-1) ?? null, parentTrees, files, size, root };
    this.#asked = { request, sealed };
    return request;
  }

  #treesOnTheWay(paths: readonly string[]): SignRequest["parentTrees"] {
    const found = new Map<string, Uint8Array>();
    for (const path of this.#tree === null ? [] : paths) {
      let at: string | undefined = this.#tree ?? undefined;
      for (const name of path.split("/")) {
        const body: Uint8Array | undefined = at === undefined ? undefined : this.objects.get(at)?.body;
        if (at === undefined || body === undefined) break;
        found.set(at, body);
        at = decodeTree(Buffer.from(body)).find((entry) => entry.name === name && entry.kind === "tree")?.oid;
      }
    }
    return [...found].map(([oid, body]) => ({ oid, body }));
  }
}
