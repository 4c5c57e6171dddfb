const opened = new Map<string, (ms: number) => number>();
const maxKept = 500;

/** Answers a zone's distance from UTC in ms at an instant in ms. */
export function offsetReader(timezone: string): (ms: number) => number {
  const known = opened.get(timezone);
  if (known !== undefined) return known;
  const reader = openReader(timezone);
  if (opened.size >= maxKept) opened.clear();
  opened.set(timezone, reader);
  return reader;
}

function openReader(timezone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone: timezone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric" },
  });
  return (ms) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
  };
}
