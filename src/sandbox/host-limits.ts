import type { HostKind } from "./host-argv.ts";
import { type HostSystem, hasProc } from "./host-system.ts";
import type { Limiter, UlimitLetter } from "./tools.ts";

export interface LimitParts {
  readonly limiter: Limiter;
  readonly kind: HostKind;
  /** VmData of an idle node, bytes: what the rlimit's budget is added to; null where it cannot be known. */
  readonly baselineBytes: number | null;
  /** The host has a user of its own: only then a process limit counts this host alone. */
  readonly ownUser: boolean;
}

const mebibyte = 1024 * 1024;
const files = 256;
const processes = 64;

/** The words before a command that give it its rlimits. */
export function limitArgv(parts: LimitParts): string[] {
  const { limiter, kind, baselineBytes, ownUser } = parts;
  // Less headroom than twice the heap and 64 MiB makes V8 abort where the step should get its RangeError.
  const dataBytes = baselineBytes === null ? null : baselineBytes + kind.memoryBytes * 2 + 64 * mebibyte;
  const fileBytes = Math.max(kind.scratchBytes, 64 * mebibyte);
  if (limiter.kind === "prlimit")
    return [
      limiter.path,
      ...(dataBytes === null ? [] : [`--data=${String(dataBytes)}`]),
      `--nofile=${String(files)}`,
      "--core=0",
      `--fsize=${String(fileBytes)}`,
      ...(ownUser ? [`--nproc=${String(processes)}`] : []),
    ];
  // Blocks of 512 bytes, as POSIX has it for -f; the others count in KiB or pieces.
  const wanted: readonly (readonly [UlimitLetter, number | null])[] = [
    ["d", dataBytes === null ? null : Math.ceil(dataBytes / 1024)],
    ["n", files],
    ["c", 0],
    ["f", Math.ceil(fileBytes / 512)],
    [processLetter(limiter.letters) ?? "u", ownUser ? processes : null],
  ];
  const set = wanted.filter(([letter, value]) => value !== null && limiter.letters.has(letter));
  if (set.length === 0) return [];
  // A limit that cannot be set ends the host: it worked when it was probed.
  const script = [...set.map(([letter, value]) => `ulimit -${letter} ${String(value)}`), 'exec "$@"'].join(" && ");
  return ["/bin/sh", "-c", script, "sh"];
}

/** bash counts pipe buffers with -p, which it cannot set: so -u first. */
const processLetter = (letters: ReadonlySet<UlimitLetter>): UlimitLetter | null =>
  (["u", "p"] as const).find((letter) => letters.has(letter)) ?? null;

/** What nothing holds at level `process` on this machine, for people. */
export function unheldLimits(
  system: HostSystem,
  { limiter, baselineBytes, ownUser }: Omit<LimitParts, "kind">,
): string[] {
  const knows = (letter: UlimitLetter): boolean => limiter.kind === "prlimit" || limiter.letters.has(letter);
  const rows: readonly (readonly [string, boolean])[] = [
    ["the size of its scratch folder", false],
    ["memory outside of the JavaScript heap", baselineBytes !== null && knows("d")],
    ["CPU time (its timeout holds)", hasProc(system)],
    ["threads", ownUser && (knows("u") || knows("p"))],
    ["open files", knows("n")],
    ["the size of one file", knows("f")],
  ];
  return rows.filter(([, isHeld]) => !isHeld).map(([what]) => what);
}
