import type { SiteStatus } from "../api/index.ts";
import type { PassResult } from "../reconciler/index.ts";
import type { RecorderState } from "../recorder/index.ts";
import { clockReason } from "./clock-guard.ts";
import type { Plant } from "./plant.ts";

/** What the engines last said: the doors show it, the gate follows it. */
export class SiteView {
  readonly #plant: Plant;
  readonly #version: string;
  #pass: PassResult | null = null;
  #recorder: RecorderState | null = null;

  constructor(plant: Plant, version: string) {
    this.#plant = plant;
    this.#version = version;
    plant.gate.close(startingReason, "the first pass has not ended");
  }

  /** A pass of this life has judged the site: until then nobody knows whether it may run anything. */
  get isJudged(): boolean {
    return this.#pass !== null;
  }

  get tenants(): readonly string[] {
    return this.#pass?.tenants ?? [];
  }

  takePass(pass: PassResult): void {
    this.#pass = pass;
    this.#plant.gate.open(startingReason);
  }

  /** Records that wait for too long, or that the database lacks, close admission; other trouble is only shown. */
  takeRecorder(state: RecorderState): void {
    const { gate } = this.#plant;
    this.#recorder = state;
    if (state.closesAdmission) gate.close(auditReason, saying(state));
    else gate.open(auditReason);
  }

  status(): SiteStatus {
    const { config, hosts, gate } = this.#plant;
    const pass = this.#pass;
    const stalled = pass?.stalled ?? null;
    // A block of the site stands at the gate too.
    const stalls = stalled === null || gate.reasons.some(({ reason }) => reason === stalled.reason) ? [] : [stalled];
    const reasons = [...gate.reasons, ...this.#recorderTrouble(), ...stalls];
    return {
      site: config.site,
      version: this.#version,
      appliedRevision: pass?.revision ?? null,
      sandbox: { level: hosts.level, reason: hosts.facts.reason, hosts: hosts.capacity },
      stalled,
      ready: reasons.length === 0,
      reasons,
    };
  }

  /** What stops sealing and does not stand at the gate; a suspect clock closes that by its own name. */
  #recorderTrouble(): SiteStatus["reasons"] {
    const state = this.#recorder;
    if (state === null || state.ready || state.closesAdmission || state.reason === clockReason) return [];
    return [{ reason: auditReason, message: saying(state) }];
  }
}

const auditReason = "Audit";
const startingReason = "Starting";
const saying = ({ reason, message }: RecorderState): string => `${reason}: ${message}`;
