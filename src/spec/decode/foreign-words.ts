import leven from "leven";

/** Words of other tools, and what Orrery says instead. Lower-case; looked up only where the key is unknown. */
const foreignWords: Readonly<Record<string, string>> = {
  ...spelled("needs", ["depends_on", "dependson", "depends", "dependencies", "after", "upstream", "requires"]),
  ...spelled("uses", ["plugin", "action", "template", "task", "operator", "type"]),
  ...spelled("steps", ["jobs", "tasks", "stages", "templates", "dag", "pipeline", "workflow"]),
  ...spelled("schedules", ["schedule", "on", "triggers", "cron", "crontab", "interval", "every"]),
  ...spelled("timezone", ["tz", "zone", "time_zone"]),
  ...spelled("inputs", ["parameters", "variables"]),
  ...spelled("finally", ["onexit", "on_exit", "always", "onfailure", "on_failure", "cleanup", "post", "teardown"]),
  ...spelled("continueOnError", ["continue-on-error", "continue_on_error", "allow_failure", "ignore_errors"]),
  ...spelled("concurrency", ["concurrencypolicy", "max_active_runs", "parallelism"]),
  if: "Write `when`: one whole ${{ }} expression.",
  ...said("Write `forEach: { in: …, as: … }`.", ["matrix", "strategy", "loop", "withitems", "withparam", "with_items"]),
  ...said("No shell runs here: name a plugin with `uses`, or write a function with `uses: core.js@…` and `code`.", [
    ...["run", "script", "command", "commands", "cmd", "args", "entrypoint", "shell", "bash"],
  ]),
  ...said("A step has no environment: give values with `with`.", ["env", "environment", "vars", "params", "arguments"]),
  ...said("Write `retry: { maxAttempts: … }`; the first attempt counts.", [
    ...["retries", "retry_count", "retrycount", "attempts", "maxattempts", "max_retries", "backoff"],
  ]),
  ...said("A plugin runs in the site's sandbox: remove it.", [
    ...[
      "runs-on",
      "runs_on",
      "image",
      "container",
      "containers",
      "docker",
      "agent",
      "pool",
      "services",
      "nodeselector",
    ],
  ]),
  ...said("Write `limits: { memory, cpuTime, scratch, timeout }`.", [
    ...[
      "timeout",
      "timeout-minutes",
      "timeoutseconds",
      "activedeadlineseconds",
      "memory",
      "cpu",
      "cputime",
      "resources",
    ],
  ]),
  ...said("The key of the mapping is the name: remove it.", ["name", "id"]),
  outputs: "Outputs are what the plugin returns: read steps.<step>.outputs.",
  description: "Write `rationale`, or a comment.",
  ...said("This version does not enforce it, so it does not accept it: remove it.", [
    ...[
      "sensitive",
      "approvals",
      "freeze",
      "retention",
      "slo",
      "objectives",
      "alerts",
      "offline",
      "overrides",
    ],
    ...["paths", "groups", "authority", "startsperhour", "perday", "renamedfrom"],
  ]),
};

function spelled(ours: string, words: readonly string[]): Record<string, string> {
  return said(`Here it is \`${ours}\`.`, words);
}

function said(answer: string, words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => [word, answer]));
}

/** What to write in place of a key that the schema does not have. */
export function adviceFor(key: string, known: readonly string[]): string {
  const word = key.toLowerCase();
  const close = closest(key, known);
  if (close !== null && leven(word, close.toLowerCase()) <= 1) return `Did you mean \`${close}\`?`;
  if (Object.hasOwn(foreignWords, word)) return foreignWords[word] ?? "";
  if (close !== null) return `Did you mean \`${close}\`?`;
  return known.length === 0 ? "Remove it." : `Remove it; known here: ${known.join(", ")}.`;
}

/** The known word nearest to `word`, ignoring case, `-` and `_`; null where none is near. */
export function closest(word: string, known: readonly string[]): string | null {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, "");
  const near = known
    .map((candidate) => ({ candidate, distance: leven(plain(word), plain(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.min(3, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.candidate ?? null;
}
