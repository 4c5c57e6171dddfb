import type { UtcText } from "../base/index.ts";

/** `records/<tenant>/<yyyy>/<mm>/<dd>/<first seq, 12 digits>.ndjson`: name order is seq order. */
export function segmentPath(tenant: string, timestamp: UtcText, firstSeq: number): string {
  return `records/${tenant}/${dayPath(timestamp)}/${String(firstSeq).padStart(12, "0")}.ndjson`;
}

/** `steps/<tenant>/<yyyy>/<mm>/<dd>/<runId>.ndjson`. */
export function stepsPath(tenant: string, timestamp: UtcText, runId: string): string {
  return `steps/${tenant}/${dayPath(timestamp)}/${runId}.ndjson`;
}

const dayPath = (timestamp: UtcText): string => timestamp.slice(0, 10).replaceAll("-", "/");

export interface SegmentName {
  readonly tenant: string;
  /** `yyyy/mm/dd`. */
  readonly day: string;
  readonly firstSeq: number;
}

const segmentPattern = /^records\/(_site|[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/(\d{4}\/\d\d\/\d\d)\/(\d{12})\.ndjson$/;

/** null for a path that `segmentPath` never makes. */
export function parseSegmentPath(path: string): SegmentName | null {
  const [, tenant, day, firstSeq] = segmentPattern.exec(path) ?? [];
  if (tenant === undefined || day === undefined || firstSeq === undefined) return null;
  return { tenant, day, firstSeq: Number(firstSeq) };
}
