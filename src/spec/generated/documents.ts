// Generated from schemas/ by scripts/generate-types.ts; do not edit.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Age
         * @description Whole hours or days, or `never`.
         * @example 14d
         * @example never
         */
        readonly Age: string;
        /**
         * Allowlist
         * @description tenants/<tenant>/allowlist.yaml: what a tenant may use. Without the file nothing is granted, core.* neither.
         */
        readonly Allowlist: {
            readonly apiVersion: components["schemas"]["ApiVersion"];
            /**
             * @description The kind that the path calls for.
             * @constant
             */
            readonly kind: "Allowlist";
            readonly metadata?: components["schemas"]["Metadata"];
            /** @description What the tenant's steps may name: plugins, endpoints and secrets. */
            readonly spec: {
                /**
                 * @description Hosts and ports that its steps may reach.
                 * @default []
                 */
                readonly endpoints?: readonly {
                    /**
                     * @description Plugins that may reach it.
                     * @example [
                     *       "notify.*"
                     *     ]
                     */
                    readonly for: readonly components["schemas"]["PluginGlob"][];
                    readonly host: components["schemas"]["Host"];
                    /**
                     * @description TCP port.
                     * @example 443
                     */
                    readonly port: number;
                    /**
                     * @description true: the address may be loopback, private or link-local.
                     * @default false
                     */
                    readonly private?: boolean;
                    readonly rationale?: components["schemas"]["Rationale"];
                }[];
                /**
                 * @description Plugins that its DAGs may use.
                 * @default []
                 */
                readonly plugins?: readonly {
                    readonly name: components["schemas"]["PluginGlob"];
                    readonly rationale?: components["schemas"]["Rationale"];
                    /**
                     * @description Versions granted.
                     * @example [
                     *       "1.x"
                     *     ]
                     */
                    readonly versions: readonly components["schemas"]["VersionRange"][];
                }[];
                /**
                 * @description Secrets of the tenant that its steps may be lent.
                 * @default []
                 */
                readonly secrets?: readonly {
                    /**
                     * @description Plugins that may be lent it.
                     * @example [
                     *       "notify.*"
                     *     ]
                     */
                    readonly for: readonly components["schemas"]["PluginGlob"][];
                    /**
                     * @description Name of the secret.
                     * @example notify_token
                     */
                    readonly name: components["schemas"]["Name"];
                    readonly rationale?: components["schemas"]["Rationale"];
                }[];
            };
        };
        /**
         * ApiVersion
         * @description The version of the spec language. A default never changes within it.
         * @constant
         */
        readonly ApiVersion: "orrery/v1";
        /**
         * Config
         * @description <data>/config.yaml: configuration of one installation; flags win over ORRERY_ environment variables, these over the file.
         */
        readonly Config: {
            /** @description The audit branch. */
            readonly audit?: {
                /**
                 * @description Records that stay unsealed longer close admission.
                 * @default 24h
                 */
                readonly maxLag?: components["schemas"]["Duration"];
                /**
                 * @description `same`, or the path of another repository for the audit branch.
                 * @default same
                 */
                readonly repository?: string;
            };
            /**
             * @description The data directory. Default: /var/lib/orrery as root, else $XDG_STATE_HOME/orrery.
             * @example /var/lib/orrery
             */
            readonly data?: string;
            /** @description The store. */
            readonly database?: {
                /**
                 * @description A PostgreSQL server in place of the embedded one (DATABASE_URL).
                 * @example postgres://orrery@/orrery?host=/run/postgresql
                 */
                readonly url?: string;
            };
            /** @description API and page. */
            readonly http?: {
                /**
                 * Listen
                 * @description Address of API and page; port 0 = any free one.
                 * @default 127.0.0.1:7433
                 * @example 127.0.0.1:7433
                 */
                readonly listen?: string;
            };
            /** @description Metrics. */
            readonly metrics?: {
                /**
                 * Listen
                 * @description Address of /metrics; its labels list all tenants.
                 * @default 127.0.0.1:7434
                 * @example 127.0.0.1:7434
                 */
                readonly listen?: string;
            };
            /**
             * @description Path of the spec repository, bare or not.
             * @example /srv/git/specs.git
             */
            readonly repository?: string;
            /** @description The walls round steps. */
            readonly sandbox?: {
                /** @description Accepts a weaker level, with a reason. */
                readonly allowWeak?: {
                    /**
                     * @description The weaker level that is accepted here.
                     * @example process
                     * @enum {string}
                     */
                    readonly level: "confined" | "process";
                    /** @description Why it is accepted; it stands on health and in the log. */
                    readonly reason: components["schemas"]["Rationale"];
                };
                /**
                 * @description Sandbox hosts at once. Default: 2 a core.
                 * @example 4
                 */
                readonly hosts?: number;
                /**
                 * @description Below this level nothing runs, unless allowWeak names the level.
                 * @default confined
                 * @enum {string}
                 */
                readonly minLevel?: "sealed" | "confined" | "process";
            };
            /** @description Which site this installation is. */
            readonly site?: {
                /**
                 * @description Name of this site, as in sites/<site>.yaml.
                 * @default local
                 */
                readonly name?: components["schemas"]["Id"];
            };
            /** @description Where the desired state stands. */
            readonly spec?: {
                /**
                 * SpecRef
                 * @description The ref that is reconciled, in full.
                 * @default refs/heads/main
                 */
                readonly ref?: string;
            };
            /** @description The first revision. */
            readonly trust?: {
                /**
                 * @description Path of a signers file that the first revision must agree with. Without it: trust on first use.
                 * @example /etc/orrery/spec_signers
                 */
                readonly pinnedSigners?: string;
            };
            /** @description Users of child processes. */
            readonly uids?: {
                /**
                 * @description First numeric uid for the signer and sandbox hosts, used when the daemon is root.
                 * @default 61000
                 */
                readonly base?: number;
            };
        };
        /**
         * Count
         * @description How many.
         */
        readonly Count: number;
        /**
         * Dag
         * @description tenants/<tenant>/dags/<dagId>.yaml: steps that run in the order of their needs.
         */
        readonly Dag: {
            readonly apiVersion: components["schemas"]["ApiVersion"];
            /**
             * @description The kind that the path calls for.
             * @constant
             */
            readonly kind: "Dag";
            readonly metadata?: components["schemas"]["Metadata"];
            /** @description What the DAG is: its steps, and when they run. */
            readonly spec: {
                /**
                 * @description Runs of this DAG beside each other.
                 * @example {
                 *       "max": 1,
                 *       "overlap": "queue"
                 *     }
                 */
                readonly concurrency?: {
                    /**
                     * @description Unfinished runs of this DAG that may run at once.
                     * @default 1
                     */
                    readonly max?: number;
                    /**
                     * @description What a start beyond max does: wait, be skipped, or replace what waits.
                     * @default queue
                     * @enum {string}
                     */
                    readonly overlap?: "queue" | "skip" | "latest";
                };
                /** @description Steps that run once after all others, whatever happened. */
                readonly finally?: {
                    readonly [key: string]: components["schemas"]["Step"];
                };
                /**
                 * @description Inputs of a run in short form; expands to inputsSchema.
                 * @example {
                 *       "day": {
                 *         "type": "date"
                 *       }
                 *     }
                 */
                readonly inputs?: {
                    readonly [key: string]: components["schemas"]["Input"];
                };
                /** @description A whole JSON Schema of the inputs object, in place of `inputs`. */
                readonly inputsSchema?: components["schemas"]["ValueSchema"];
                readonly rationale?: components["schemas"]["Rationale"];
                /**
                 * @description When runs start by themselves.
                 * @default []
                 */
                readonly schedules?: readonly components["schemas"]["Schedule"][];
                /** @description The steps by name. */
                readonly steps: {
                    readonly [key: string]: components["schemas"]["Step"];
                };
                /**
                 * @description Wall time of a run, from its start.
                 * @default 1h
                 */
                readonly timeout?: components["schemas"]["Duration"];
            };
        };
        /**
         * Duration
         * @description A whole number with a unit: ms, s, m, h or d; at most 9999d.
         * @example 30s
         * @example 5m
         * @example 24h
         */
        readonly Duration: string;
        /**
         * Endpoint
         * @description `host:port`.
         * @example notify.internal:443
         */
        readonly Endpoint: string;
        /**
         * Expression
         * @description One whole `${{ }}` expression.
         * @example ${{ steps.judge.outputs.changed > 0 }}
         */
        readonly Expression: string;
        /**
         * ForEach
         * @description Run the step once for each item of a list.
         * @example {
         *       "in": "${{ steps.collect.outputs.documents }}",
         *       "as": "doc",
         *       "maxParallel": 8
         *     }
         */
        readonly ForEach: {
            /**
             * @description Name of the item in expressions of this step; `index` counts from 0.
             * @default item
             */
            readonly as?: components["schemas"]["Name"];
            /**
             * ItemList
             * @description A list, or one whole `${{ }}` expression that gives one.
             * @example ${{ steps.collect.outputs.documents }}
             */
            readonly in: string | readonly unknown[];
            /**
             * @description More items than this fail the step.
             * @default 1000
             */
            readonly maxItems?: number;
            /**
             * @description Items at once; none of its own by default.
             * @example 8
             */
            readonly maxParallel?: number;
        };
        /**
         * Host
         * @description A host name in lower case, or an IP address (IPv6 in brackets).
         * @example notify.internal
         * @example 127.0.0.1
         */
        readonly Host: string;
        /**
         * Id
         * @description Name of a site, tenant, DAG or schedule: lower-case letters, digits and inner hyphens, at most 63.
         * @example nightly-vex
         */
        readonly Id: string;
        /**
         * Input
         * @description One input in short form; it expands to JSON Schema.
         * @example {
         *       "type": "date"
         *     }
         */
        readonly Input: {
            /**
             * @description Used where none is given; an input without default is required.
             * @example 2026-03-01
             */
            readonly default?: unknown;
            /**
             * @description What the input is, for people.
             * @example The day whose statements are linked.
             */
            readonly description?: string;
            /**
             * @description The values allowed.
             * @example [
             *       "info",
             *       "warn"
             *     ]
             */
            readonly enum?: readonly unknown[];
            /**
             * @description Schema of the items of an array.
             * @example {
             *       "type": "string"
             *     }
             */
            readonly items?: components["schemas"]["ValueSchema"];
            /**
             * @description The greatest number allowed.
             * @example 100
             */
            readonly maximum?: number;
            /**
             * @description The most items of an array; lint counts the cost of expressions with it.
             * @example 500
             */
            readonly maxItems?: components["schemas"]["Count"];
            /**
             * @description The most characters of a text; lint counts the cost of expressions with it.
             * @example 200
             */
            readonly maxLength?: components["schemas"]["Count"];
            /**
             * @description The least number allowed.
             * @example 0
             */
            readonly minimum?: number;
            /**
             * @description The fewest items of an array.
             * @example 1
             */
            readonly minItems?: components["schemas"]["Count"];
            /**
             * @description The fewest characters of a text.
             * @example 1
             */
            readonly minLength?: components["schemas"]["Count"];
            /**
             * InputType
             * @description `date` is a string YYYY-MM-DD.
             * @example date
             * @enum {string}
             */
            readonly type: "string" | "number" | "integer" | "boolean" | "date" | "array" | "object";
        };
        /**
         * Instant
         * @description A UTC instant, RFC 3339 with Z.
         * @example 2026-12-24T00:00:00Z
         */
        readonly Instant: string;
        /**
         * Limits
         * @description What one attempt may use; the quota's perStep is the ceiling.
         * @example {
         *       "memory": "128Mi",
         *       "cpuTime": "20s",
         *       "timeout": "60s"
         *     }
         */
        readonly Limits: {
            /**
             * @description CPU time of one attempt.
             * @default 60s
             */
            readonly cpuTime?: components["schemas"]["Duration"];
            /**
             * @description Memory of the step.
             * @default 128Mi
             */
            readonly memory?: components["schemas"]["Size"];
            /**
             * @description Private files below /tmp.
             * @default 16Mi
             */
            readonly scratch?: components["schemas"]["Size"];
            /**
             * @description Wall time of one attempt.
             * @default 5m
             */
            readonly timeout?: components["schemas"]["Duration"];
        };
        /**
         * Metadata
         * @description Optional. The path decides tenant and name; what is written here must agree with it.
         */
        readonly Metadata: {
            /**
             * @description Name of the document, as in its path.
             * @example nightly-vex
             */
            readonly name?: string;
            /**
             * @description Of a Dag: the name that it had. Its schedules go on from where they were.
             * @example nightly
             */
            readonly renamedFrom?: components["schemas"]["Id"];
            /**
             * @description Tenant, as in the path.
             * @example acme
             */
            readonly tenant?: string;
            /**
             * @description Version of a plugin, as in the path.
             * @example 1.0.0
             */
            readonly version?: string;
        };
        /**
         * Name
         * @description Name of a step or an input: a lower-case letter, then letters, digits and underscores, at most 63. A hyphen would be a subtraction in an expression.
         * @example collect_vex
         */
        readonly Name: string;
        /**
         * Objective
         * @description What is promised of one DAG: at least one of success, within and fresh.
         */
        readonly Objective: {
            /**
             * @description A DAG of this tenant.
             * @example nightly-vex
             */
            readonly dag: components["schemas"]["Id"];
            /**
             * @description The last success is never older than this.
             * @example 26h
             */
            readonly fresh?: components["schemas"]["Duration"];
            /**
             * Percent
             * @description Share of the runs of a window that succeed, above 0% and up to 100%, with at most three decimals.
             * @example 99%
             * @example 99.9%
             */
            readonly success?: string;
            /**
             * @description The time that success looks back over.
             * @default 30d
             */
            readonly window?: components["schemas"]["Duration"];
            /**
             * @description A run ends within this time from its slot, or from its admission.
             * @example 30m
             */
            readonly within?: components["schemas"]["Duration"];
        };
        /**
         * PathRule
         * @description Whose signature a change of these paths needs, and how many approvals.
         */
        readonly PathRule: {
            /**
             * @description How many others of `by` must have approved.
             * @default 0
             */
            readonly approvals?: number;
            /**
             * @description A group of `groups`, or `everyone`: every key of keys/spec_signers.
             * @example operators
             */
            readonly by: string;
            /**
             * @description A glob over the whole path: `*` and `?` within a segment, `**` for any number of segments, `{a,b}` for one of several.
             * @example tenants/*\/{quota,allowlist,slo}.yaml
             */
            readonly match: string;
        };
        /**
         * Plugin
         * @description plugins/<name>/<version>/plugin.yaml: what a plugin is, what it takes, gives and needs. A version is immutable.
         */
        readonly Plugin: {
            readonly apiVersion: components["schemas"]["ApiVersion"];
            /**
             * @description The kind that the path calls for.
             * @constant
             */
            readonly kind: "Plugin";
            readonly metadata?: components["schemas"]["Metadata"];
            /** @description What the plugin is. */
            readonly spec: {
                /**
                 * @description What a second execution does outside: nothing, the same again, or anything. A lost attempt is repeated only for the first two.
                 * @default any
                 * @enum {string}
                 */
                readonly effects?: "none" | "idempotent" | "any";
                /**
                 * @description `derived` where the output holds fields of schemas/aoc.json that the service owns, else `raw`.
                 * @example raw
                 * @enum {string}
                 */
                readonly emits: "raw" | "derived";
                /** @description JSON Schema of `with`; type object. */
                readonly input: components["schemas"]["ValueSchema"];
                /**
                 * @description `realm`: a fresh V8 context in a warm thread. `host`: a host process of its own.
                 * @default realm
                 * @enum {string}
                 */
                readonly isolation?: "realm" | "host";
                /** @description What it cannot do without. */
                readonly needs?: {
                    /**
                     * @description Node.js built-ins that it requires; any of them demands isolation `host`.
                     * @default []
                     */
                    readonly builtins?: readonly string[];
                    /**
                     * @description true: it talks to the endpoints of its step.
                     * @default false
                     */
                    readonly network?: boolean;
                    /**
                     * @description Secrets that it takes, by its own names: a name, or a name with `optional: true`. Each other one must be given.
                     * @default []
                     */
                    readonly secrets?: readonly (string | {
                        readonly name: components["schemas"]["Name"];
                        /**
                         * @description true: the plugin also works without.
                         * @default false
                         */
                        readonly optional?: boolean;
                    })[];
                };
                /**
                 * @description true: it sees the real clock and real chance; replays substitute its output.
                 * @default false
                 */
                readonly nondeterministic?: boolean;
                /** @description JSON Schema of the output; type object. */
                readonly output: components["schemas"]["ValueSchema"];
                /**
                 * @description The owning service: the first half of the plugin's name.
                 * @example vex-lens
                 */
                readonly service: components["schemas"]["Id"];
                /**
                 * Sha256
                 * @description SHA-256 of plugin.js.
                 * @example e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
                 */
                readonly sha256: string;
            };
        };
        /**
         * PluginGlob
         * @description A plugin's name, or its beginning with one `*` at the end.
         * @example notify.*
         * @example core.log
         */
        readonly PluginGlob: string;
        /**
         * PluginName
         * @description `<service>.<task>`: two ids with a dot.
         * @example vex-lens.link
         */
        readonly PluginName: string;
        /**
         * @description Principals as keys/spec_signers names them: the first plain name of a line.
         * @example [
         *       "ana@acme.example"
         *     ]
         */
        readonly Principals: readonly string[];
        /**
         * Quota
         * @description tenants/<tenant>/quota.yaml: how much a tenant may use. Without the file the defaults hold.
         */
        readonly Quota: {
            readonly apiVersion: components["schemas"]["ApiVersion"];
            /**
             * @description The kind that the path calls for.
             * @constant
             */
            readonly kind: "Quota";
            readonly metadata?: components["schemas"]["Metadata"];
            /** @description What the tenant may use. */
            readonly spec: {
                /**
                 * @description The shortest time between two slots of a schedule.
                 * @default 1m
                 */
                readonly minInterval?: components["schemas"]["Duration"];
                /**
                 * @description Other values until an instant. Of two that hold at once the later entry wins, field by field.
                 * @default []
                 * @example [
                 *       {
                 *         "until": "2026-12-01T06:00:00Z",
                 *         "runs": {
                 *           "maxConcurrent": 8
                 *         },
                 *         "rationale": "month end"
                 *       }
                 *     ]
                 */
                readonly overrides?: readonly components["schemas"]["QuotaOverride"][];
                /** @description What all runs may use in one day of UTC. A start after it is used up is refused, a slot skipped; what runs goes on. */
                readonly perDay?: {
                    /**
                     * @description Bytes of the artifacts that these attempts wrote. Without it: no bound.
                     * @example 2Gi
                     */
                    readonly artifacts?: components["schemas"]["Size"];
                    /**
                     * @description CPU time of all attempts that ended that day. Without it: no bound.
                     * @example 2h
                     */
                    readonly cpuTime?: components["schemas"]["Duration"];
                };
                /** @description Ceilings of one step. */
                readonly perStep?: {
                    /**
                     * @description CPU time of one attempt.
                     * @default 60s
                     */
                    readonly cpuTime?: components["schemas"]["Duration"];
                    /**
                     * @description Memory of one step.
                     * @default 256Mi
                     */
                    readonly memory?: components["schemas"]["Size"];
                    /**
                     * @description Canonical text of one output, at most 1Mi.
                     * @default 1Mi
                     */
                    readonly output?: components["schemas"]["Size"];
                    /**
                     * @description Scratch space of one attempt.
                     * @default 64Mi
                     */
                    readonly scratch?: components["schemas"]["Size"];
                    /**
                     * @description Wall time of one attempt.
                     * @default 10m
                     */
                    readonly timeout?: components["schemas"]["Duration"];
                };
                /** @description Of all DAGs together. */
                readonly runs?: {
                    /**
                     * @description Runs at once.
                     * @default 4
                     */
                    readonly maxConcurrent?: number;
                    /**
                     * @description Unfinished runs that may wait.
                     * @default 100
                     */
                    readonly maxQueued?: number;
                    /**
                     * @description Runs that may start in one hour of UTC, from its first minute; more wait for the next. Without it: no bound.
                     * @example 120
                     */
                    readonly startsPerHour?: number;
                };
                /** @description Of all runs together. */
                readonly steps?: {
                    /**
                     * @description Steps at once, over all runs.
                     * @default 4
                     */
                    readonly maxConcurrent?: number;
                };
                /**
                 * @description Share of idle capacity against other tenants.
                 * @default 1
                 */
                readonly weight?: number;
            };
        };
        /**
         * QuotaOverride
         * @description Other values until an instant.
         */
        readonly QuotaOverride: {
            /** @description The shortest time between two slots of a schedule. */
            readonly minInterval?: components["schemas"]["Duration"];
            /** @description What all runs may use in one day of UTC. A start after it is used up is refused, a slot skipped; what runs goes on. */
            readonly perDay?: {
                /** @description Bytes of the artifacts that these attempts wrote. Without it: no bound. */
                readonly artifacts?: components["schemas"]["Size"];
                /** @description CPU time of all attempts that ended that day. Without it: no bound. */
                readonly cpuTime?: components["schemas"]["Duration"];
            };
            /** @description Ceilings of one step. */
            readonly perStep?: {
                /** @description CPU time of one attempt. */
                readonly cpuTime?: components["schemas"]["Duration"];
                /** @description Memory of one step. */
                readonly memory?: components["schemas"]["Size"];
                /** @description Canonical text of one output, at most 1Mi. */
                readonly output?: components["schemas"]["Size"];
                /** @description Scratch space of one attempt. */
                readonly scratch?: components["schemas"]["Size"];
                /** @description Wall time of one attempt. */
                readonly timeout?: components["schemas"]["Duration"];
            };
            readonly rationale: components["schemas"]["Rationale"];
            /** @description Of all DAGs together. */
            readonly runs?: {
                /**
                 * @description Runs at once.
                 * @example 8
                 */
                readonly maxConcurrent?: number;
                /**
                 * @description Unfinished runs that may wait.
                 * @example 400
                 */
                readonly maxQueued?: number;
                /**
                 * @description Runs that may start in one hour of UTC, from its first minute; more wait for the next. Without it: no bound.
                 * @example 240
                 */
                readonly startsPerHour?: number;
            };
            /** @description Of all runs together. */
            readonly steps?: {
                /**
                 * @description Steps at once, over all runs.
                 * @example 16
                 */
                readonly maxConcurrent?: number;
            };
            /** @description From here on it no longer holds, without a commit. */
            readonly until: components["schemas"]["Instant"];
            /**
             * @description Share of idle capacity against other tenants.
             * @example 4
             */
            readonly weight?: number;
        };
        /**
         * Rationale
         * @description Why this is wanted, in a sentence that an auditor understands.
         * @example Policy must see the day's VEX statements before the morning gate.
         */
        readonly Rationale: string;
        /**
         * Repository
         * @description orrery.yaml: how commits of this repository are trusted, and its brakes.
         */
        readonly Repository: {
            readonly apiVersion: components["schemas"]["ApiVersion"];
            /**
             * @description The kind that the path calls for.
             * @constant
             */
            readonly kind: "Repository";
            readonly metadata?: components["schemas"]["Metadata"];
            /** @description What holds for the whole repository: trust and brakes. */
            readonly spec: {
                /** @description What makes a plan wait. */
                readonly brakes?: {
                    /**
                     * @description A plan that prunes more than this share of a tenant's DAGs waits for a person.
                     * @default 20
                     */
                    readonly prunePercent?: number;
                };
                /** @description Whose commits count. */
                readonly trust?: {
                    /**
                     * @description What an unsigned or unknown signature means: nothing, a warning, or Stalled.
                     * @default require
                     * @enum {string}
                     */
                    readonly commits?: "none" | "warn" | "require";
                    /**
                     * @description Principals of keys/spec_signers that are a forge's own key: good for merges whose tree is the clean merge of their parents and whose commits are signed and authorised, and for squashes whose plan is approved. For nothing else.
                     * @example [
                     *       "forge@hq.example"
                     *     ]
                     */
                    readonly forges?: components["schemas"]["Principals"];
                    /**
                     * @description Groups of principals of keys/spec_signers, for `by`.
                     * @example {
                     *       "operators": [
                     *         "omar@hq.example",
                     *         "oya@hq.example"
                     *       ]
                     *     }
                     */
                    readonly groups?: {
                        readonly [key: string]: components["schemas"]["Principals"];
                    };
                    /**
                     * @description Who answers for what a merge brings in: its signer (firstParent), or the signer of every commit (all).
                     * @default firstParent
                     * @enum {string}
                     */
                    readonly merges?: "firstParent" | "all";
                    /** @description Who may change what: the first rule that matches a path counts. No match: nobody. No `paths` at all: everyone. */
                    readonly paths?: readonly components["schemas"]["PathRule"][];
                };
            };
        };
        /**
         * Retry
         * @description When a failed attempt is repeated.
         * @example {
         *       "maxAttempts": 3,
         *       "backoff": "5s",
         *       "errors": [
         *         "transient",
         *         "lost",
         *         "timeout"
         *       ]
         *     }
         */
        readonly Retry: {
            /**
             * @description Wait before the second attempt.
             * @default 5s
             */
            readonly backoff?: components["schemas"]["Duration"];
            /**
             * @description Classes of errors that are tried again (a set).
             * @default [
             *       "transient",
             *       "timeout"
             *     ]
             */
            readonly errors?: readonly ("transient" | "permanent" | "resource" | "timeout" | "lost" | "poison")[];
            /**
             * @description Each further wait is this many times longer.
             * @default 2
             */
            readonly factor?: number;
            /**
             * @description Attempts in all; the first counts.
             * @default 1
             */
            readonly maxAttempts?: number;
            /**
             * @description The longest wait.
             * @default 5m
             */
            readonly maxBackoff?: components["schemas"]["Duration"];
        };
        /**
         * Schedule
         * @description When runs start by themselves.
         * @example {
         *       "cron": "30 3 * * *",
         *       "timezone": "Europe/Vienna"
         *     }
         */
        readonly Schedule: {
            /**
             * @description Slots that were missed.
             * @example {
             *       "policy": "latest",
             *       "maxAge": "24h"
             *     }
             */
            readonly catchUp?: {
                /**
                 * @description Slots older than this are never caught up.
                 * @example 24h
                 */
                readonly maxAge?: components["schemas"]["Duration"];
                /**
                 * @description What happens to slots of a time when no scheduler ran: none starts (up to 1 minute late still does), the latest, or all.
                 * @default none
                 * @enum {string}
                 */
                readonly policy?: "none" | "latest" | "all";
            };
            /**
             * Cron
             * @description Five fields: minute hour day-of-month month day-of-week; L, # and W too. Both day fields set: either counts. Exactly one of cron and every.
             * @example 30 3 * * *
             */
            readonly cron?: string;
            /**
             * @description An interval aligned to the epoch, without daylight saving. Exactly one of cron and every.
             * @example 15m
             */
            readonly every?: components["schemas"]["Duration"];
            /**
             * @description Inputs of the runs that it starts; expressions over `slot`.
             * @default {}
             * @example {
             *       "day": "${{ slot.date }}"
             *     }
             */
            readonly inputs?: Record<string, never>;
            /**
             * @description Name of the schedule; required where there are two.
             * @default default
             */
            readonly name?: components["schemas"]["Id"];
            /**
             * Timezone
             * @description IANA time zone of cron and of slot.local and slot.date.
             * @default UTC
             * @example Europe/Vienna
             */
            readonly timezone?: string;
        };
        /**
         * Site
         * @description sites/<site>.yaml: which tenants run at a site, and its recorder's public keys.
         */
        readonly Site: {
            readonly apiVersion: components["schemas"]["ApiVersion"];
            /**
             * @description The kind that the path calls for.
             * @constant
             */
            readonly kind: "Site";
            readonly metadata?: components["schemas"]["Metadata"];
            /** @description What the site is. */
            readonly spec: {
                /** @description The audit branch of this site. */
                readonly audit: {
                    /** @description Public keys of the recorder, one after another. */
                    readonly keys: readonly {
                        /**
                         * @description The first batch that this key signs, from 1.
                         * @default 1
                         */
                        readonly from?: number;
                        /**
                         * Ed25519PublicKey
                         * @description OpenSSH public key, ed25519.
                         * @example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea
                         */
                        readonly key: string;
                    }[];
                };
                /**
                 * @description How old the newest verified commit may be, by its committer's time. Without it a site may be as old as it likes.
                 * @example {
                 *       "warnAfter": "14d",
                 *       "stopAfter": "never"
                 *     }
                 */
                readonly offline?: {
                    /**
                     * @description From then on nothing new starts: slots are skips, starts are refused. What runs ends.
                     * @default never
                     * @example 90d
                     */
                    readonly stopAfter?: components["schemas"]["Age"];
                    /**
                     * @description From then on the site's Ready condition says `Stale`; everything goes on.
                     * @default never
                     * @example 14d
                     */
                    readonly warnAfter?: components["schemas"]["Age"];
                };
                /**
                 * @description Tenants that run here; `*` = all.
                 * @example [
                 *       "*"
                 *     ]
                 */
                readonly tenants: readonly string[];
            };
        };
        /**
         * Size
         * @description A whole number with a binary unit: Ki, Mi or Gi; at most 99999Gi.
         * @example 128Mi
         * @example 1Gi
         */
        readonly Size: string;
        /**
         * Slo
         * @description tenants/<tenant>/slo.yaml: what a tenant promises of its DAGs.
         */
        readonly Slo: {
            readonly apiVersion: components["schemas"]["ApiVersion"];
            /**
             * @description The kind that the path calls for.
             * @constant
             */
            readonly kind: "Slo";
            readonly metadata?: components["schemas"]["Metadata"];
            /** @description What the tenant promises. */
            readonly spec: {
                /** @description One entry a DAG. */
                readonly objectives: readonly components["schemas"]["Objective"][];
            };
        };
        /**
         * Step
         * @description One step: a plugin with its input and limits.
         */
        readonly Step: {
            /**
             * @description For core.js alone: one JavaScript expression, a function (input, ctx) => output.
             * @example ({ documents }) => ({ count: documents.length })
             */
            readonly code?: string;
            /**
             * @description true: what needs this step goes on although it failed.
             * @default false
             */
            readonly continueOnError?: boolean;
            /**
             * @description Globs (`**`, `*`, `?`) of files under tenants/<tenant>/files/ that the step may read (a set).
             * @default []
             */
            readonly files?: readonly string[];
            readonly forEach?: components["schemas"]["ForEach"];
            /**
             * @description Raises the plugin's isolation.
             * @example host
             * @enum {string}
             */
            readonly isolation?: "host";
            readonly limits?: components["schemas"]["Limits"];
            /**
             * Needs
             * @description Steps that must end before (a name, or a set of names).
             * @default []
             * @example collect
             * @example [
             *       "collect",
             *       "link"
             *     ]
             */
            readonly needs?: string | readonly components["schemas"]["Name"][];
            /**
             * @description Endpoints that the step may reach, where the allowlist grants them (a set).
             * @default []
             */
            readonly network?: readonly components["schemas"]["Endpoint"][];
            readonly retry?: components["schemas"]["Retry"];
            /**
             * @description Secrets lent to the step: the name in the plugin, and the name of the tenant's secret. Never a value.
             * @default {}
             * @example {
             *       "token": "notify_token"
             *     }
             */
            readonly secrets?: {
                readonly [key: string]: components["schemas"]["Name"];
            };
            /**
             * Uses
             * @description The plugin, `name@version`.
             * @example core.log@1.0.0
             */
            readonly uses: string;
            /** @description The step runs only where this is true. */
            readonly when?: components["schemas"]["Expression"];
            /**
             * @description Input of the plugin; texts may hold `${{ }}` expressions.
             * @default {}
             * @example {
             *       "summary": "${{ steps.judge.outputs.changed }} documents changed"
             *     }
             */
            readonly with?: Record<string, never>;
        };
        /**
         * Tenant
         * @description tenants/<tenant>/tenant.yaml: who owns a tenant.
         */
        readonly Tenant: {
            readonly apiVersion: components["schemas"]["ApiVersion"];
            /**
             * @description The kind that the path calls for.
             * @constant
             */
            readonly kind: "Tenant";
            readonly metadata?: components["schemas"]["Metadata"];
            /** @description Who owns the tenant, and whether it may run and change. */
            readonly spec: {
                /**
                 * @description Where people are reached.
                 * @example ops@acme.example
                 */
                readonly contact?: string;
                /**
                 * @description Windows in which changes of this tenant wait; runs go on. A commit that takes the window out lifts it.
                 * @default []
                 * @example [
                 *       {
                 *         "from": "2026-12-24T00:00:00Z",
                 *         "until": "2026-12-27T00:00:00Z",
                 *         "rationale": "holidays"
                 *       }
                 *     ]
                 */
                readonly freeze?: readonly {
                    /** @description Changes wait from here on. */
                    readonly from: components["schemas"]["Instant"];
                    readonly rationale: components["schemas"]["Rationale"];
                    /** @description From here on they are applied. */
                    readonly until: components["schemas"]["Instant"];
                }[];
                /**
                 * @description Who answers for this tenant: signer principals.
                 * @example [
                 *       "ana@acme.example"
                 *     ]
                 */
                readonly owners: readonly string[];
                /**
                 * @description true: no run of this tenant starts.
                 * @default false
                 */
                readonly suspend?: boolean;
            };
        };
        /**
         * ValueSchema
         * @description JSON Schema (2020-12) of a value: the keywords named here, without references. A schema comes from whoever writes the spec, so what could be costly to check is left out.
         */
        readonly ValueSchema: {
            /**
             * @description false: no member beside `properties`; a schema: what each other one must be. Without it anything fits.
             * @example false
             */
            readonly additionalProperties?: components["schemas"]["ValueSchemaOrBoolean"];
            /** @description Schemas that must all fit. */
            readonly allOf?: components["schemas"]["ValueSchemas"];
            /** @description Schemas of which at least one must fit. */
            readonly anyOf?: components["schemas"]["ValueSchemas"];
            /**
             * @description The one value allowed.
             * @example orrery/v1
             */
            readonly const?: unknown;
            /**
             * @description Used where the value is absent: of an input of a DAG; within a plugin's schemas it only tells.
             * @example 2026-03-01
             */
            readonly default?: unknown;
            /**
             * @description What the value is, for people.
             * @example The day whose statements are linked.
             */
            readonly description?: string;
            /**
             * @description The values allowed.
             * @example [
             *       "info",
             *       "warn"
             *     ]
             */
            readonly enum?: readonly unknown[];
            /**
             * @description Values that fit; nothing checks them.
             * @example [
             *       "2026-03-01"
             *     ]
             */
            readonly examples?: readonly unknown[];
            /**
             * @description Every number allowed is less.
             * @example 100
             */
            readonly exclusiveMaximum?: number;
            /**
             * @description Every number allowed is greater.
             * @example 0
             */
            readonly exclusiveMinimum?: number;
            /**
             * ValueFormat
             * @description A form that texts have beyond their type.
             * @example date
             * @enum {string}
             */
            readonly format?: "date" | "time" | "date-time" | "uuid" | "uri" | "ipv4" | "ipv6";
            /**
             * @description Schema of each item of a list.
             * @example {
             *       "type": "string"
             *     }
             */
            readonly items?: components["schemas"]["ValueSchemaOrBoolean"];
            /**
             * @description The greatest number allowed.
             * @example 100
             */
            readonly maximum?: number;
            /**
             * @description The most items; lint counts the cost of expressions with it.
             * @example 500
             */
            readonly maxItems?: components["schemas"]["Count"];
            /**
             * @description The most characters; lint counts the cost of expressions with it.
             * @example 200
             */
            readonly maxLength?: components["schemas"]["Count"];
            /**
             * @description The most members.
             * @example 100
             */
            readonly maxProperties?: components["schemas"]["Count"];
            /**
             * @description The least number allowed.
             * @example 0
             */
            readonly minimum?: number;
            /**
             * @description The fewest items.
             * @example 1
             */
            readonly minItems?: components["schemas"]["Count"];
            /**
             * @description The fewest characters.
             * @example 1
             */
            readonly minLength?: components["schemas"]["Count"];
            /**
             * @description The fewest members.
             * @example 1
             */
            readonly minProperties?: components["schemas"]["Count"];
            /**
             * @description The number is a whole multiple of it.
             * @example 0.5
             */
            readonly multipleOf?: number;
            /** @description Schemas of which exactly one must fit. */
            readonly oneOf?: components["schemas"]["ValueSchemas"];
            /**
             * ValuePattern
             * @description A regular expression without nested repetition: anchored with ^ where it repeats without bound, no look-around, no back reference.
             * @example ^[a-z]+$
             */
            readonly pattern?: string;
            /**
             * @description Members of a mapping by name, each with its schema.
             * @example {
             *       "day": {
             *         "type": "string",
             *         "format": "date"
             *       }
             *     }
             */
            readonly properties?: {
                readonly [key: string]: components["schemas"]["ValueSchema"];
            };
            /**
             * @description Members that must be there.
             * @example [
             *       "day"
             *     ]
             */
            readonly required?: readonly string[];
            /**
             * @description A short name of the value, for people.
             * @example Day
             */
            readonly title?: string;
            /**
             * ValueType
             * @description One type, or a list of types.
             * @example string
             */
            readonly type?: string | readonly ("string" | "number" | "integer" | "boolean" | "array" | "object" | "null")[];
            /**
             * @description true: no item twice.
             * @example true
             */
            readonly uniqueItems?: boolean;
            /**
             * @description `source`: below here stand third-party documents word for word, with their provenance; the guard of derived fields does not look into them.
             * @constant
             */
            readonly "x-orrery-aoc"?: "source";
        };
        /**
         * ValueSchemaOrBoolean
         * @description A schema, or true (anything) or false (nothing).
         */
        readonly ValueSchemaOrBoolean: Record<string, never> | boolean;
        /**
         * ValueSchemas
         * @description A list of schemas.
         * @example [
         *       {
         *         "type": "string"
         *       },
         *       {
         *         "type": "null"
         *       }
         *     ]
         */
        readonly ValueSchemas: readonly components["schemas"]["ValueSchema"][];
        /**
         * VersionRange
         * @description One version, or all of a major (`1.x`) or minor (`1.2.x`).
         * @example 1.0.0
         * @example 1.x
         */
        readonly VersionRange: string;
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
