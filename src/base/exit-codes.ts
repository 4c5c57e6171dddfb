/** Exit codes of every command (DESIGN.md section 2); where several apply: 3, 5, 1. */
export const exitCodes = {
  ok: 0,
  findings: 1,
  usage: 2,
  refused: 3,
  unavailable: 4,
  waiting: 5,
  bug: 70,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
