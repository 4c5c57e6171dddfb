import type { Finding } from "../decode/finding.ts";
import { type Positions, pointerTo, positionOf } from "../decode/positions.ts";
import type { Quota } from "../normal/tenant-spec.ts";

export interface QuotaContext {
  readonly path: string;
  readonly positions: Positions;
  /** The instant that is judged: overrides end. */
  readonly at: Date;
}

/** Overrides that have ended: they say nothing any more, and a reader may think that they do. */
export function checkQuota({ overrides }: Quota, { path, positions, at }: QuotaContext): readonly Finding[] {
  return overrides.flatMap(({ until }, index): readonly Finding[] => {
    if (Date.parse(until) > at.getTime()) return [];
    const pointer = `${pointerTo("/spec/overrides", index)}/until`;
    const said = { message: `this override ended at ${until}`, fix: "Remove it, or set another until." };
    return [{ code: "OVERRIDE_ENDED", severity: "warning", path, ...positionOf(positions, pointer), pointer, ...said }];
  });
}
