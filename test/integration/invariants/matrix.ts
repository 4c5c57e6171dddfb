/** One thing of a kind that the product really has: a route, a table, a command. */
export interface Surface {
  readonly name: string;
}

/** A rule for every surface of a kind. `check` answers what broke it, null where it holds. */
export interface Rule<S extends Surface> {
  readonly name: string;
  readonly check: (surface: S) => Promise<string | null> | string | null;
}

export interface Kind<S extends Surface> {
  readonly title: string;
  /** Where the surfaces come from; stands in docs/invariants.md. */
  readonly source: string;
  readonly surfaces: readonly S[];
  readonly rules: readonly Rule<S>[];
  /** `surface` or a prefix ending in `*`, rule, and why it need not hold. One that is not needed any more is a finding. */
  readonly exemptions?: readonly (readonly [surface: string, rule: string, why: string])[];
}

export interface Judged {
  readonly findings: readonly string[];
  /** One section of docs/invariants.md. */
  readonly section: string;
}

const covers = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

/** Holds every rule against every surface. */
export async function judge<S extends Surface>({
  title,
  source,
  surfaces,
  rules,
  exemptions = [],
}: Kind<S>): Promise<Judged> {
  const findings: string[] = [];
  const needed = new Set<string>();
  const rows: string[] = [];
  for (const surface of [...surfaces].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const cells: string[] = [];
    for (const rule of rules) {
      const broken = await rule.check(surface);
      const exempt = exemptions.find(([pattern, name]) => name === rule.name && covers(pattern, surface.name));
      if (broken === null) cells.push("yes");
      else if (exempt === undefined) {
        findings.push(`${title}: ${surface.name}: ${rule.name}: ${broken}`);
        cells.push("BROKEN");
      } else {
        cells.push(`no: ${exempt[2]}`);
        needed.add(exempt.join());
      }
    }
    rows.push(`| \`${surface.name}\` | ${cells.join(" | ")} |`);
  }
  for (const exempt of exemptions)
    if (!needed.has(exempt.join())) findings.push(`${title}: ${exempt[0]}: ${exempt[1]}: is exempt and need not be`);
  const header = `| ${title.toLowerCase()} | ${rules.map(({ name }) => name).join(" | ")} |`;
  return {
    findings: surfaces.length === 0 ? [`${title}: nothing found`] : findings,
    section: `## ${title}\n\n${source}\n\n${header}\n|${"---|".repeat(rules.length + 1)}\n${rows.join("\n")}\n`,
  };
}
