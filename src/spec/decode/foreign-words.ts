/** What Orrery says in place of another tool's word, and how it is written. */
interface Ours {
  readonly say: string;
  readonly example: string | null;
}

const key = (ours: string, example: string): Ours => ({ say: `Here it is \`${ours}\`.`, example });
const say = (text: string, example: string | null = null): Ours => ({ say: text, example });

const needs = key("needs", "needs: collect");
const uses = key("uses", "uses: core.log@1.0.0");
const steps = key("steps", "steps: { collect: { uses: core.files@1.0.0 } }");
const schedules = key("schedules", 'schedules: [{ cron: "30 3 * * *", timezone: Europe/Vienna }]');
const inputs = key("inputs", "inputs: { day: { type: date } }");
const atTheEnd = key("finally", "finally: { tidy: { uses: core.log@1.0.0, with: { message: done } } }");
const when = key("when", 'when: "${{ steps.judge.outputs.changed > 0 }}"');
const forEach = key("forEach", 'forEach: { in: "${{ inputs.names }}", as: name, maxParallel: 4 }');
const retry = key("retry", "retry: { maxAttempts: 3, backoff: 5s, factor: 2, maxBackoff: 1m }");
const limits = key("limits", "limits: { memory: 128Mi, cpuTime: 20s, timeout: 60s }");
const goOn = key("continueOnError", "continueOnError: true");
const concurrency = key("concurrency", "concurrency: { max: 1, overlap: queue }");
const noShell = say(
  "No shell runs here: name a plugin, or write a function.",
  "uses: core.js@1.0.0, code: (input) => ({ ok: true })",
);
const noEnvironment = say("A step has no environment: give values.", 'with: { level: info, day: "${{ inputs.day }}" }');
const noMachine = say("A plugin runs in the site's sandbox, which the site chooses: remove it.");
const outputs = say("Outputs are what the plugin returns.", 'with: { n: "${{ steps.collect.outputs.n }}" }');
const nameIsKey = say(
  "The key of the mapping is the name: remove it.",
  "steps: { collect: { uses: core.files@1.0.0 } }",
);
const noReason = key("rationale", "rationale: Policy must see the day's statements before the gate.");
const ofTenant = say("Owners and contact stand in tenant.yaml.", "owners: [ana@acme.example]");
const promise = say("A promise stands in slo.yaml.", "objectives: [{ dag: nightly-vex, within: 30m }]");
const gitSays = say("What stands in Git is applied; who may change it stands in orrery.yaml: remove it.");
const ofQuota = say("What a tenant may use stands in quota.yaml.", "runs: { maxConcurrent: 4, maxQueued: 200 }");
const graph = say("A step runs when all it needs succeeded; read a status to run after a failure.", when.example);
const kept = say("What a run wrote is kept by the site: remove it.");
const notEnforced = say("This version does not enforce it, so it does not accept it: remove it.");

/** The four tools that people come from. Lower-case; looked up only where the key is unknown. */
const words: readonly (readonly [ours: Ours, words: string])[] = [
  [needs, "depends_on dependson depends dependencies after upstream requires upstream_task_ids set_upstream"],
  [uses, "plugin action template templateref task operator type executor call module"],
  [steps, "jobs tasks stages templates dag pipeline workflow workflowspec pipelines"],
  [schedules, "schedule on triggers cron crontab interval schedule_interval timetable startat workflow_dispatch"],
  [key("timezone", "timezone: Europe/Vienna"), "tz zone time_zone"],
  [
    key("catchUp", "catchUp: { policy: latest, maxAge: 24h }"),
    "catchupwindow backfill startingdeadlineseconds depends_on_past skipifsuccessful",
  ],
  [key("every", "every: 15m"), "frequency period rate"],
  [inputs, "parameters variables"],
  [atTheEnd, "onexit on_exit always onfailure on_failure cleanup post teardown hooks handleron handler_on"],
  [atTheEnd, "on_failure_callback on_success_callback on_retry_callback mailon mail_on notifications"],
  [when, "if condition conditions preconditions precondition unless rules run_if"],
  [graph, "trigger_rule triggerrule wait_for_downstream"],
  [forEach, "matrix strategy loop withitems withparam with_items withsequence parallel expand partial include exclude"],
  [retry, "retries retry_count retrycount attempts maxattempts max_retries backoff retrystrategy retrypolicy"],
  [retry, "retry_delay retry_exponential_backoff max_retry_delay intervalsec"],
  [
    limits,
    "timeout timeout-minutes timeoutseconds timeoutsec activedeadlineseconds execution_timeout memory cpu cputime",
  ],
  [limits, "resources requests executor_config"],
  [key("timeout", "timeout: 30m"), "dagrun_timeout"],
  [say("A step runs once: a schedule repeats a DAG.", schedules.example), "repeatpolicy repeat"],
  [goOn, "continue-on-error continue_on_error allow_failure ignore_errors continueon ignore_failure"],
  [
    concurrency,
    "concurrencypolicy max_active_runs maxactiveruns parallelism max_active_tasks maxactivesteps cancel-in-progress",
  ],
  [key("maxParallel", forEach.example ?? ""), "max-parallel fail-fast max_active_tis_per_dag"],
  [
    ofQuota,
    "synchronization semaphore mutex mutexes semaphores pool pool_slots queue priority_weight priority weight_rule",
  ],
  [noShell, "run script command commands cmd args entrypoint shell bash bash_command python_callable source"],
  [noShell, "working-directory workingdir working_dir dir stdout stderr"],
  [noEnvironment, "env environment vars params arguments op_kwargs op_args default_args templates_dict dotenv envfrom"],
  [noMachine, "runs-on runs_on image container containers docker agent services nodeselector tolerations affinity"],
  [
    noMachine,
    "serviceaccountname volumes volumemounts volumeclaimtemplates initcontainers sidecars securitycontext podspecpatch",
  ],
  [outputs, "outputs output xcom_push xcom_pull do_xcom_push artifacts"],
  [nameIsKey, "name id dag_id task_id generatename displayname"],
  [noReason, "description doc doc_md summary comment"],
  [ofTenant, "owner owners email email_on_failure email_on_retry maintainers"],
  [promise, "sla slas slo slo_within"],
  [gitSays, "syncpolicy automated selfheal syncoptions ignoredifferences destination project permissions syncwindows"],
  [gitSays, "namespace labels annotations tags group revisionhistorylimit"],
  [kept, "ttlstrategy podgc archivelogs histretentiondays artifactrepositoryref logdir successfuljobshistorylimit"],
  [kept, "failedjobshistorylimit ttlsecondsafterfinished"],
  [
    say("A schedule starts when it is applied and ends when it is removed: remove it."),
    "start_date end_date startdate enddate start end delaysec",
  ],
  [
    say("Suspend a tenant in its tenant.yaml, or remove the schedule.", "suspend: true"),
    "suspended paused is_paused_upon_creation disabled enabled",
  ],
  [notEnforced, "sensitive retention alerts offline ceilings authority restartwaitsec signalonstop metrics"],
  [
    say("Approvals stand at a path in orrery.yaml.", '{ match: "tenants/**", by: operators, approvals: 1 }'),
    "approvals",
  ],
  [key("metadata.renamedFrom", "metadata: { renamedFrom: nightly }"), "renamedfrom"],
];

/** Words that mean something else at the top of a DAG than in a step. */
const ofDag: readonly (readonly [ours: Ours, words: string])[] = [
  [inputs, "params env vars arguments environment inputs_schema"],
  [key("timeout", "timeout: 30m"), "activedeadlineseconds timeoutsec timeout-minutes timeoutseconds"],
  [schedules, "schedule cron every triggers crontab"],
  [key("catchUp", "schedules: [{ every: 1h, catchUp: { policy: all, maxAge: 24h } }]"), "catchup"],
  [say("Suspend a tenant in its tenant.yaml, or a DAG with orrery suspend."), "suspend"],
  [say("There is no shared part: write it at each step.", "retry: { maxAttempts: 3 }"), "defaults default_args"],
  [say("Steps run in the order of their `needs`: remove it.", needs.example), "type"],
  [outputs, "outputs"],
];

const mapOf = (all: readonly (readonly [ours: Ours, words: string])[]): ReadonlyMap<string, Ours> =>
  new Map(all.flatMap(([ours, text]) => text.split(" ").map((word): readonly [string, Ours] => [word, ours])));

const known = mapOf(words);
const knownOfDag = mapOf(ofDag);

/** What to write here for a word of GitHub Actions, Argo, Airflow or Dagu, with an example; null where it is none. */
export function foreignAnswer(word: string, place: "dag" | "elsewhere" = "elsewhere"): string | null {
  const plain = word.toLowerCase();
  const ours = (place === "dag" ? knownOfDag.get(plain) : undefined) ?? known.get(plain);
  if (ours === undefined) return null;
  return ours.example === null ? ours.say : `${ours.say} For example \`${ours.example}\`.`;
}
