type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The table as Markdown: a row per state, a column per event. */
export function tableOf(table: Table): string {
  const events = Object.keys(Object.values(table)[0] ?? {});
  const cell = (next: string | undefined): string =>
    next === "illegal" ? "" : next === "ignored" ? "-" : (next ?? "");
  return [
    `| state | ${events.join(" | ")} |`,
    `|---|${events.map(() => "---").join("|")}|`,
    ...Object.entries(table).map(
      ([state, row]) => `| **${state}** | ${events.map((event) => cell(row[event])).join(" | ")} |`,
    ),
  ].join("\n");
}

/** The table as a Mermaid diagram: an arrow per pair of states, named by all events that make it. */
export function diagramOf(table: Table, first: string): string {
  const arrows = new Map<string, string[]>();
  for (const [state, row] of Object.entries(table)) {
    for (const [event, next] of Object.entries(row)) {
      if (!(next in table)) continue;
      const arrow = `${state} --> ${next}`;
      arrows.set(arrow, [...(arrows.get(arrow) ?? []), event]);
    }
  }
  const ends = Object.keys(table).filter((state) => !Object.values(table[state] ?? {}).some((next) => next in table));
  return [
    "```mermaid",
    "stateDiagram-v2",
    `  [*] --> ${first}`,
    ...[...arrows].map(([arrow, events]) => `  ${arrow}: ${events.join(", ")}`),
    ...ends.map((state) => `  ${state} --> [*]`),
    "```",
  ].join("\n");
}
