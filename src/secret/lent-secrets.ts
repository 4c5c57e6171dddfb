import { byLength, secretForms, secretLines } from "./secret-forms.ts";

/** The values that steps of this process hold now or held a moment ago: what the daemon's own texts must not show. */
export interface LentSecrets {
  /** Takes values in; what it gives ends the loan. They stay for a while: the daemon speaks of a step after its end. */
  readonly lend: (values: readonly string[]) => () => void;
  /** Every spelling of every value, longest first. */
  readonly literals: () => readonly string[];
}

interface Loan {
  readonly literals: readonly string[];
  holders: number;
  /** Since when nobody holds it. */
  idleSinceMs: number;
}

const lingerMs = 10 * 60_000;

export function createLentSecrets(nowMs: () => number): LentSecrets {
  const loans = new Map<string, Loan>();
  const forget = (): void => {
    const before = nowMs() - lingerMs;
    for (const [value, loan] of loans) if (loan.holders === 0 && loan.idleSinceMs < before) loans.delete(value);
  };
  const giveBack = (value: string): void => {
    const loan = loans.get(value);
    if (loan === undefined) return;
    loan.holders--;
    loan.idleSinceMs = nowMs();
  };
  return {
    lend: (values) => {
      forget();
      for (const value of values) {
        const loan = loans.get(value) ?? {
          literals: [...secretForms(value), ...secretLines(value)],
          holders: 0,
          idleSinceMs: 0,
        };
        loan.holders++;
        loans.set(value, loan);
      }
      let isOpen = true;
      return () => {
        if (isOpen) for (const value of values) giveBack(value);
        isOpen = false;
      };
    },
    literals: () => {
      forget();
      return byLength([...loans.values()].flatMap(({ literals }) => literals));
    },
  };
}
