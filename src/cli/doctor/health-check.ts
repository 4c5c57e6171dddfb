/** One line of `orrery doctor`. */
export interface HealthCheck {
  readonly state: "ok" | "warn" | "FAIL";
  readonly what: string;
  readonly detail: string;
  /** What helps, or null. */
  readonly fix: string | null;
}

export const fine = (what: string, detail: string): HealthCheck => ({ state: "ok", what, detail, fix: null });

export const warn = (what: string, detail: string, fix: string | null): HealthCheck => ({
  ...{ state: "warn", what, detail, fix },
});

export const fail = (what: string, detail: string, fix: string | null): HealthCheck => ({
  ...{ state: "FAIL", what, detail, fix },
});

/** `ok    node: v20.20.2`, with the fix in parentheses. */
export const renderCheck = ({ state, what, detail, fix }: HealthCheck): string =>
  `${state.padEnd(4)}  ${what}: ${detail}${fix === null ? "" : ` (${fix})`}`;
