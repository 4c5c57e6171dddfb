/**
 * The only way out of the realm. The host's function is reachable from this closure alone; it takes and gives strings,
 * numbers and byte arrays that were made in here, and never throws on purpose.
 */
export type HostCall = (op: string, a?: unknown, b?: unknown) => string | number | undefined;

export function guarded(hostCall: HostCall): HostCall {
  return (op, a, b) => {
    let answer: string | number | undefined;
    try {
      answer = hostCall(op, a, b);
    } catch {
      // What arrives here may be the host's RangeError of a full stack: its constructor is the host's Function.
      throw new RangeError("call to the host failed");
    }
    return answer;
  };
}

export const textOf = (answer: string | number | undefined): string => (typeof answer === "string" ? answer : "");
export const numberOf = (answer: string | number | undefined): number => (typeof answer === "number" ? answer : 0);
