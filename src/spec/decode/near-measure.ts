import type { Json } from "../../base/index.ts";

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const words: Readonly<Record<string, string>> = {
  ...{ sec: "s", secs: "s", second: "s", seconds: "s", min: "m", mins: "m", minute: "m", minutes: "m" },
  ...{ hr: "h", hrs: "h", hour: "h", hours: "h", day: "d", days: "d" },
};

/** What a size or duration of other tools is here: `128MB`, `1.5h`, `1m30s`, `5 minutes`; null where it is none. */
export function nearMeasure(text: string, title: Json | undefined): string | null {
  if (text.length > 40) return null;
  if (title === "Size") return nearSize(text);
  return title === "Duration" ? nearDuration(text) : null;
}

/** What a number alone may mean; null where the field is neither a duration nor a size. */
export function unitsFor(value: number, title: Json | undefined): string | null {
  const units = title === "Duration" ? ["s", "m", "h"] : title === "Size" ? ["Ki", "Mi", "Gi"] : null;
  if (units === null) return null;
  const [first = "", second = "", third = ""] = units.map((unit) => `${String(value)}${unit}`);
  return `Write ${first}, ${second} or ${third}.`;
}

function nearSize(text: string): string | null {
  const [, number, unit = ""] = /^([1-9]\d{0,5})\s*([kmg])i?b?(?:ytes)?$/i.exec(text.trim()) ?? [];
  return number === undefined ? null : `Write ${number}${unit.toUpperCase()}i.`;
}

function nearDuration(text: string): string | null {
  const parts = [
    ...text
      .trim()
      .toLowerCase()
      .matchAll(/(\d{1,6}(?:\.\d{1,3})?)\s*([a-z]+)/g),
  ];
  if (
    parts.length === 0 ||
    parts.map(([all]) => all).join("").length !== text.replaceAll(/\s+(?=\d)|^\s+|\s+$/g, "").length
  )
    return null;
  const total = parts.reduce(
    (sum, [, number, unit = ""]) => sum + Number(number) * (seconds[words[unit] ?? unit] ?? NaN),
    0,
  );
  return Number.isInteger(total) && total > 0 ? `Write ${plainest(total)}.` : null;
}

function plainest(total: number): string {
  const unit = ["d", "h", "m"].find((name) => total % (seconds[name] ?? 1) === 0) ?? "s";
  return `${String(total / (seconds[unit] ?? 1))}${unit}`;
}
