import type { AttemptRef } from "../../dag/index.ts";
import { printable } from "../../plan/index.ts";
import type { AttemptOutcome, ClaimedRun, EgressSummary } from "../../store/index.ts";
import type { LocalObserver } from "./run-locally.ts";

/** As much of one attempt's log as is shown; the store keeps as much. */
const maxLogBytes = 1024 * 1024;
const nameWidth = 16;

/** Says what happens in a run, a line each, as it happens. What steps say is foreign text: no control character passes. */
export function liveLines(note: (line: string) => void): LocalObserver {
  const shownBytes = new Map<string, number>();
  const say = (at: AttemptRef, what: string): void => note(`  ${nameOf(at).padEnd(nameWidth)} ${printable(what)}`);
  return {
    started: ({ context, specHash, inputsHash }: ClaimedRun) => {
      note(`  now ${context.now}  spec ${short(specHash)}  inputs ${short(inputsHash)}`);
    },
    attemptStarted: (at) => say(at, "start"),
    logged: (at, { level, message, fields }) => {
      const key = `${nameOf(at)}/${at.attempt}`;
      const bytes = shownBytes.get(key) ?? 0;
      if (bytes > maxLogBytes) return;
      const text = `${level.padEnd(5)} ${message}${fields === "{}" ? "" : ` ${fields}`}`;
      shownBytes.set(key, bytes + text.length);
      say(at, bytes + text.length > maxLogBytes ? "further lines are not shown" : text);
    },
    attemptEnded: (outcome, detail) => {
      for (const target of outcome.egress) say(outcome, egressText(target));
      say(outcome, endText(outcome, detail));
    },
    stepEnded: ({ stepId, status, reason, code }) => {
      if (reason !== null) say({ stepId, index: 0, attempt: 1 }, `${status}: ${code ?? reason}`);
    },
    warned: (fields, message) => {
      const { stepId, index, reason, code, ...others } = fields;
      const where = stepId === undefined ? "" : ` ${textOf(stepId)}${index === undefined ? "" : `[${textOf(index)}]`}:`;
      const why = [code, reason ?? others["error"]].filter((part) => part !== undefined).map(textOf);
      note(`  !${where} ${printable([message, ...why].join("; "))}`);
    },
  };
}

/** `link`, `link[3]` of a later item, `link #2` of a later attempt. */
const nameOf = ({ stepId, index, attempt }: AttemptRef): string =>
  `${stepId}${index === 0 ? "" : `[${index}]`}${attempt === 1 ? "" : ` #${attempt}`}`;

function endText(outcome: AttemptOutcome, detail: string | null): string {
  const { status, class: errorClass, code, outputsHash } = outcome;
  const time = durationText(Date.parse(outcome.endedUtc) - Date.parse(outcome.startedUtc));
  if (status === "succeeded") return `ok  ${time}  output ${short(outputsHash ?? "")}`;
  const why = detail === null ? "" : `  ${detail}`;
  return `${status}  ${errorClass ?? ""} ${code ?? ""}  ${time}${why}`;
}

function egressText({ host, port, allowed, denied, sentBytes, receivedBytes }: EgressSummary): string {
  const count = (n: number, what: string): string => (n === 0 ? "" : ` ${n} ${what}`);
  return `net   ${host}:${port}${count(allowed, "allowed")}${count(denied, "denied")}, ${sentBytes} bytes sent, ${receivedBytes} received`;
}

export const durationText = (ms: number): string => (ms < 10_000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

export const short = (hash: string): string => hash.slice(0, 12);

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));
