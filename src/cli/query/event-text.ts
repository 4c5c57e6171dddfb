import { printable } from "../../plan/index.ts";
import type { EventView } from "../../store/index.ts";

/** `Stalled=True Held: held at …`, or the facts as they are, hashes and commits cut short. */
export function factsText(facts: EventView["facts"]): string {
  const { type, status, reason, message } = facts as Readonly<Partial<Record<string, string>>>;
  if (type !== undefined && status !== undefined)
    return printable(`${type}=${status} ${reason ?? ""}: ${message ?? ""}`);
  const words = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === "string" ? short(value) : JSON.stringify(value)}`,
  );
  return printable(words.join(" "));
}

const short = (text: string): string => (/^[0-9a-f]{40,64}$/.test(text) ? text.slice(0, 12) : text);
