const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnits = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 } as const;

/** `5m` in ms. The text has passed the schema; another one is our own bug. */
export function durationMs(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * durationUnits[match[2] as keyof typeof durationUnits];
}

/** `128Mi` in bytes. The text has passed the schema; another one is our own bug. */
export function sizeBytes(text: string): number {
  const match = /^(\d{1,7})(Ki|Mi|Gi)$/.exec(text);
  if (match === null) throw new RangeError(`not a size: ${text}`);
  return Number(match[1]) * sizeUnits[match[2] as keyof typeof sizeUnits];
}

/** The shortest text of a duration, for people. */
export function durationText(ms: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (ms >= durationUnits[unit] && ms % durationUnits[unit] === 0)
      return `${String(ms / durationUnits[unit])}${unit}`;
  }
  return `${String(ms)}ms`;
}

/** The shortest text of a size, for people. */
export function sizeText(bytes: number): string {
  for (const unit of ["Gi", "Mi", "Ki"] as const) {
    if (bytes >= sizeUnits[unit] && bytes % sizeUnits[unit] === 0) return `${String(bytes / sizeUnits[unit])}${unit}`;
  }
  return `${String(bytes)} bytes`;
}
