import { codes } from "../base/index.ts";
import { type HeldNews, heldNews, printable, type TenantPlan } from "../plan/index.ts";
import type { Logger } from "../telemetry/index.ts";

/** A tenant that breaks a thousand documents at once must not bury what the others say. */
const maxLines = 20;
const maxMessage = 500;

/** A line for each document that this plan holds back for a new reason; what was said before is not said again. */
export function logHeld(log: Pick<Logger, "warn">, plan: TenantPlan): void {
  const { tenant, revision } = plan;
  const news = heldNews(plan);
  for (const each of news.slice(0, maxLines)) log.warn({ tenant, revision, ...fieldsOf(each) }, sentences[each.what]);
  const more = news.length - maxLines;
  if (more > 0) log.warn({ tenant, revision, more }, "more documents are held or not armed, see their conditions");
}

const sentences = {
  held: "a document is held",
  not_armed: "a DAG is applied and may not start",
} as const satisfies Record<HeldNews["what"], string>;

function fieldsOf({ path, finding, more, message }: HeldNews): Readonly<Record<string, unknown>> {
  if (finding === null) return { at: printable(path), detail: printable(message).slice(0, maxMessage) };
  const place = finding.line === 0 ? finding.path : `${finding.path}:${finding.line}:${finding.col}`;
  return {
    at: printable(place),
    code: finding.code,
    number: codes[finding.code].number,
    detail: printable(finding.message).slice(0, maxMessage),
    ...(more === 0 ? {} : { more }),
  };
}
