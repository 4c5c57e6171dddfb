import { Fault } from "../base/index.ts";
import type { SiteSpec } from "../spec/index.ts";
import type { Condition } from "../store/index.ts";
import { parsePublicKey } from "../trust/index.ts";
import type { SiteDocuments } from "./read/desired-reader.ts";

/** Why a verified revision is not applied to this site. `reason` is CamelCase. */
export interface SiteBlock {
  readonly reason: "SiteHeld" | "SiteUnknown" | "RecorderKeyUnknown";
  readonly message: string;
}

/** The site's own documents must decode, name this site, and hold the key that signs its records (DESIGN.md section 3). */
export function siteBlock(documents: SiteDocuments, site: string, recorderKey: Uint8Array): SiteBlock | null {
  const error = documents.findings.find(({ severity }) => severity === "error");
  if (error !== undefined) {
    return { reason: "SiteHeld", message: `${error.path}:${error.line}:${error.col} ${error.message}` };
  }
  if (documents.site === null)
    return { reason: "SiteUnknown", message: `the revision has no sites/${site}.yaml: nothing runs here` };
  if (!holdsKey(documents.site, recorderKey)) {
    return {
      reason: "RecorderKeyUnknown",
      message: `sites/${site}.yaml does not hold the recorder's public key under spec.audit.keys`,
    };
  }
  return null;
}

function holdsKey({ audit }: SiteSpec, wanted: Uint8Array): boolean {
  return audit.keys.some(({ key }) => {
    const parsed = parsePublicKey(key);
    return parsed.ok && Buffer.from(parsed.value.blob).equals(wanted);
  });
}

/** Why a site is not as it should be; `warns`: it goes on all the same. */
interface SiteReason {
  readonly reason: string;
  readonly message: string;
  readonly warns?: boolean;
}

/** Ready and Stalled of the site. */
export function siteConditions(site: string, revision: string | null, why: SiteReason | null): readonly Condition[] {
  const isReady = why === null || why.warns === true;
  const of = (type: "Ready" | "Stalled", isTrue: boolean): Condition => ({
    kind: "Site",
    name: site,
    type,
    status: isTrue ? "True" : "False",
    reason: why?.reason ?? "Applied",
    message: why?.message ?? "",
    observedRevision: revision,
  });
  return [of("Ready", isReady), of("Stalled", !isReady)];
}

/** `TRUST_REWIND` -> `TrustRewind`: conditions speak CamelCase. */
export function conditionReason(code: string): string {
  return code.toLowerCase().replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A start whose site row belongs to another installation must not go on. */
export function checkSameSite(
  observed: { readonly site: string; readonly specRef: string },
  wanted: { readonly site: string; readonly specRef: string },
): void {
  if (observed.site !== wanted.site)
    throw new Fault("DATA_DIR_SITE", `the database holds site ${observed.site}, not ${wanted.site}`);
  if (observed.specRef !== wanted.specRef)
    throw new Fault("CONFIG_INVALID", `spec.ref: this site follows ${observed.specRef}, not ${wanted.specRef}`);
}
