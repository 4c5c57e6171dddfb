import type { SiteStatus } from "../api/index.ts";
import type { PassResult } from "../reconciler/index.ts";
import type { RecorderState } from "../recorder/index.ts";
import { clockReason } from "./housekeeping.ts";
import type { Plant } from "./plant.ts";

/** What the engines last said: the doors show it, the gate follows it. */
export class SiteView {
  readonly #plant: Plant;
  readonly #version: string;
  #pass: PassResult | null = null;

  constructor(plant: Plant, version: string) {
    this.#plant = plant;
    this.#version = version;
  }

  get tenants(): readonly string[] {
    return this.#pass?.tenants ?? [];
  }

  takePass(pass: PassResult): void {
    this.#pass = pass;
  }

  /** What cannot be recorded does not start. A suspect clock closes the gate by its own name. */
  takeRecorder({ ready, reason, message }: RecorderState): void {
    const { gate } = this.#plant;
    if (ready) gate.open("Audit");
    else if (reason !== clockReason) gate.close("Audit", `${reason}: ${message}`);
  }

  isClockSuspect(): boolean {
    return this.#plant.gate.reasons.some(({ reason }) => reason === clockReason);
  }

  status(): SiteStatus {
    const { config, hosts, gate } = this.#plant;
    const pass = this.#pass;
    const waiting = pass === null ? [{ reason: "Reconciling", message: "the first pass has not ended" }] : [];
    const reasons = [...gate.reasons, ...(pass?.stalled == null ? [] : [pass.stalled]), ...waiting];
    return {
      site: config.site,
      version: this.#version,
      appliedRevision: pass?.revision ?? null,
      sandbox: { level: hosts.level, reason: hosts.facts.reason },
      ready: reasons.length === 0,
      reasons,
    };
  }
}
