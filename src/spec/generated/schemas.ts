// Generated from schemas/ by scripts/generate-types.ts; do not edit.
import type { JsonObject } from "../../base/index.ts";

export type SchemaName = "common" | "repository" | "site" | "tenant" | "quota" | "allowlist" | "slo" | "dag" | "plugin" | "config";

/** schemas/*.schema.json of the documents that people write. */
export const schemas: Readonly<Record<SchemaName, JsonObject>> = {
  "common": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "common.schema.json",
    "title": "Common",
    "description": "Shapes that several kinds share.",
    "$defs": {
      "apiVersion": {
        "title": "ApiVersion",
        "description": "The version of the spec language. A default never changes within it.",
        "type": "string",
        "const": "orrery/v1"
      },
      "id": {
        "title": "Id",
        "description": "Name of a site, tenant, DAG or schedule: lower-case letters, digits and inner hyphens, at most 63.",
        "type": "string",
        "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        "examples": [
          "nightly-vex"
        ]
      },
      "name": {
        "title": "Name",
        "description": "Name of a step or an input: a lower-case letter, then letters, digits and underscores, at most 63. A hyphen would be a subtraction in an expression.",
        "type": "string",
        "pattern": "^[a-z][a-z0-9_]{0,62}$",
        "examples": [
          "collect_vex"
        ]
      },
      "pluginName": {
        "title": "PluginName",
        "description": "`<service>.<task>`: two ids with a dot.",
        "type": "string",
        "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        "examples": [
          "vex-lens.link"
        ]
      },
      "pluginGlob": {
        "title": "PluginGlob",
        "description": "A plugin's name, or its beginning with one `*` at the end.",
        "type": "string",
        "pattern": "^(\\*|[a-z0-9][-a-z0-9]{0,62}\\.(\\*|[a-z0-9][-a-z0-9]{0,62}\\*?))$",
        "examples": [
          "notify.*",
          "core.log"
        ]
      },
      "versionRange": {
        "title": "VersionRange",
        "description": "One version, or all of a major (`1.x`) or minor (`1.2.x`).",
        "type": "string",
        "pattern": "^(0|[1-9][0-9]{0,8})\\.(x|(0|[1-9][0-9]{0,8})\\.(x|0|[1-9][0-9]{0,8}))$",
        "examples": [
          "1.0.0",
          "1.x"
        ]
      },
      "duration": {
        "title": "Duration",
        "description": "A whole number with a unit: ms, s, m, h or d; at most 9999d.",
        "type": "string",
        "pattern": "^[1-9]([0-9]{0,8}ms|[0-9]{0,7}s|[0-9]{0,6}m|[0-9]{0,4}h|[0-9]{0,3}d)$",
        "examples": [
          "30s",
          "5m",
          "24h"
        ]
      },
      "size": {
        "title": "Size",
        "description": "A whole number with a binary unit: Ki, Mi or Gi; at most 99999Gi.",
        "type": "string",
        "pattern": "^[1-9]([0-9]{0,6}Ki|[0-9]{0,6}Mi|[0-9]{0,4}Gi)$",
        "examples": [
          "128Mi",
          "1Gi"
        ]
      },
      "host": {
        "title": "Host",
        "description": "A host name in lower case, or an IP address (IPv6 in brackets).",
        "type": "string",
        "pattern": "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?|\\[[0-9a-f:.]{2,45}\\])$",
        "examples": [
          "notify.internal",
          "127.0.0.1"
        ]
      },
      "endpoint": {
        "title": "Endpoint",
        "description": "`host:port`.",
        "type": "string",
        "pattern": "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?|\\[[0-9a-f:.]{2,45}\\]):([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$",
        "examples": [
          "notify.internal:443"
        ]
      },
      "instant": {
        "title": "Instant",
        "description": "A UTC instant, RFC 3339 with Z.",
        "type": "string",
        "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$",
        "examples": [
          "2026-12-24T00:00:00Z"
        ]
      },
      "rationale": {
        "title": "Rationale",
        "description": "Why this is wanted, in a sentence that an auditor understands.",
        "type": "string",
        "minLength": 1,
        "maxLength": 1000,
        "examples": [
          "Policy must see the day's VEX statements before the morning gate."
        ]
      },
      "expression": {
        "title": "Expression",
        "description": "One whole `${{ }}` expression.",
        "type": "string",
        "pattern": "^\\s*\\$\\{\\{[\\s\\S]*\\}\\}\\s*$",
        "maxLength": 8192,
        "examples": [
          "${{ steps.judge.outputs.changed > 0 }}"
        ]
      },
      "metadata": {
        "title": "Metadata",
        "description": "Optional. The path decides tenant and name; what is written here must agree with it.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "name": {
            "description": "Name of the document, as in its path.",
            "type": "string",
            "examples": [
              "nightly-vex"
            ]
          },
          "tenant": {
            "description": "Tenant, as in the path.",
            "type": "string",
            "examples": [
              "acme"
            ]
          },
          "version": {
            "description": "Version of a plugin, as in the path.",
            "type": "string",
            "examples": [
              "1.0.0"
            ]
          },
          "renamedFrom": {
            "$ref": "#/$defs/id",
            "description": "Of a Dag: the name that it had. Its schedules go on from where they were.",
            "examples": [
              "nightly"
            ]
          }
        }
      },
      "valueSchema": {
        "title": "ValueSchema",
        "description": "JSON Schema (2020-12) of a value: the keywords named here, without references. A schema comes from whoever writes the spec, so what could be costly to check is left out.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "title": {
            "description": "A short name of the value, for people.",
            "type": "string",
            "maxLength": 200,
            "examples": [
              "Day"
            ]
          },
          "description": {
            "description": "What the value is, for people.",
            "type": "string",
            "maxLength": 2000,
            "examples": [
              "The day whose statements are linked."
            ]
          },
          "examples": {
            "description": "Values that fit; nothing checks them.",
            "type": "array",
            "maxItems": 20,
            "examples": [
              [
                "2026-03-01"
              ]
            ]
          },
          "default": {
            "description": "Used where the value is absent: of an input of a DAG; within a plugin's schemas it only tells.",
            "examples": [
              "2026-03-01"
            ]
          },
          "const": {
            "description": "The one value allowed.",
            "examples": [
              "orrery/v1"
            ]
          },
          "enum": {
            "description": "The values allowed.",
            "type": "array",
            "minItems": 1,
            "maxItems": 500,
            "examples": [
              [
                "info",
                "warn"
              ]
            ]
          },
          "type": {
            "title": "ValueType",
            "description": "One type, or a list of types.",
            "type": [
              "string",
              "array"
            ],
            "minItems": 1,
            "uniqueItems": true,
            "items": {
              "type": "string",
              "enum": [
                "string",
                "number",
                "integer",
                "boolean",
                "array",
                "object",
                "null"
              ]
            },
            "if": {
              "type": "string"
            },
            "then": {
              "type": "string",
              "enum": [
                "string",
                "number",
                "integer",
                "boolean",
                "array",
                "object",
                "null"
              ]
            },
            "examples": [
              "string"
            ]
          },
          "properties": {
            "description": "Members of a mapping by name, each with its schema.",
            "type": "object",
            "maxProperties": 200,
            "additionalProperties": {
              "$ref": "#/$defs/valueSchema"
            },
            "examples": [
              {
                "day": {
                  "type": "string",
                  "format": "date"
                }
              }
            ]
          },
          "required": {
            "description": "Members that must be there.",
            "type": "array",
            "maxItems": 200,
            "items": {
              "type": "string"
            },
            "examples": [
              [
                "day"
              ]
            ]
          },
          "additionalProperties": {
            "$ref": "#/$defs/valueSchemaOrBoolean",
            "description": "false: no member beside `properties`; a schema: what each other one must be. Without it anything fits.",
            "examples": [
              false
            ]
          },
          "minProperties": {
            "$ref": "#/$defs/count",
            "description": "The fewest members.",
            "examples": [
              1
            ]
          },
          "maxProperties": {
            "$ref": "#/$defs/count",
            "description": "The most members.",
            "examples": [
              100
            ]
          },
          "items": {
            "$ref": "#/$defs/valueSchemaOrBoolean",
            "description": "Schema of each item of a list.",
            "examples": [
              {
                "type": "string"
              }
            ]
          },
          "minItems": {
            "$ref": "#/$defs/count",
            "description": "The fewest items.",
            "examples": [
              1
            ]
          },
          "maxItems": {
            "$ref": "#/$defs/count",
            "description": "The most items; lint counts the cost of expressions with it.",
            "examples": [
              500
            ]
          },
          "uniqueItems": {
            "description": "true: no item twice.",
            "type": "boolean",
            "examples": [
              true
            ]
          },
          "minLength": {
            "$ref": "#/$defs/count",
            "description": "The fewest characters.",
            "examples": [
              1
            ]
          },
          "maxLength": {
            "$ref": "#/$defs/count",
            "description": "The most characters; lint counts the cost of expressions with it.",
            "examples": [
              200
            ]
          },
          "pattern": {
            "title": "ValuePattern",
            "description": "A regular expression without nested repetition: anchored with ^ where it repeats without bound, no look-around, no back reference.",
            "type": "string",
            "maxLength": 500,
            "examples": [
              "^[a-z]+$"
            ]
          },
          "format": {
            "title": "ValueFormat",
            "description": "A form that texts have beyond their type.",
            "type": "string",
            "enum": [
              "date",
              "time",
              "date-time",
              "uuid",
              "uri",
              "ipv4",
              "ipv6"
            ],
            "examples": [
              "date"
            ]
          },
          "minimum": {
            "description": "The least number allowed.",
            "type": "number",
            "examples": [
              0
            ]
          },
          "maximum": {
            "description": "The greatest number allowed.",
            "type": "number",
            "examples": [
              100
            ]
          },
          "exclusiveMinimum": {
            "description": "Every number allowed is greater.",
            "type": "number",
            "examples": [
              0
            ]
          },
          "exclusiveMaximum": {
            "description": "Every number allowed is less.",
            "type": "number",
            "examples": [
              100
            ]
          },
          "multipleOf": {
            "description": "The number is a whole multiple of it.",
            "type": "number",
            "exclusiveMinimum": 0,
            "examples": [
              0.5
            ]
          },
          "allOf": {
            "$ref": "#/$defs/valueSchemas",
            "description": "Schemas that must all fit."
          },
          "anyOf": {
            "$ref": "#/$defs/valueSchemas",
            "description": "Schemas of which at least one must fit."
          },
          "oneOf": {
            "$ref": "#/$defs/valueSchemas",
            "description": "Schemas of which exactly one must fit."
          },
          "x-orrery-aoc": {
            "description": "`source`: below here stand third-party documents word for word, with their provenance; the guard of derived fields does not look into them.",
            "type": "string",
            "const": "source"
          }
        }
      },
      "valueSchemaOrBoolean": {
        "title": "ValueSchemaOrBoolean",
        "description": "A schema, or true (anything) or false (nothing).",
        "type": [
          "object",
          "boolean"
        ],
        "if": {
          "type": "object"
        },
        "then": {
          "$ref": "#/$defs/valueSchema"
        }
      },
      "valueSchemas": {
        "title": "ValueSchemas",
        "description": "A list of schemas.",
        "type": "array",
        "minItems": 1,
        "maxItems": 20,
        "items": {
          "$ref": "#/$defs/valueSchema"
        },
        "examples": [
          [
            {
              "type": "string"
            },
            {
              "type": "null"
            }
          ]
        ]
      },
      "count": {
        "title": "Count",
        "description": "How many.",
        "type": "integer",
        "minimum": 0,
        "maximum": 10000000
      }
    }
  },
  "repository": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "repository.schema.json",
    "title": "Repository",
    "description": "orrery.yaml: how commits of this repository are trusted, and its brakes.",
    "type": "object",
    "additionalProperties": false,
    "required": [
      "apiVersion",
      "kind",
      "spec"
    ],
    "properties": {
      "apiVersion": {
        "$ref": "common.schema.json#/$defs/apiVersion"
      },
      "kind": {
        "description": "The kind that the path calls for.",
        "type": "string",
        "const": "Repository"
      },
      "metadata": {
        "$ref": "common.schema.json#/$defs/metadata"
      },
      "spec": {
        "description": "What holds for the whole repository: trust and brakes.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "trust": {
            "description": "Whose commits count.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "commits": {
                "description": "What an unsigned or unknown signature means: nothing, a warning, or Stalled.",
                "type": "string",
                "enum": [
                  "none",
                  "warn",
                  "require"
                ],
                "default": "require"
              },
              "merges": {
                "description": "Who answers for what a merge brings in: its signer (firstParent), or the signer of every commit (all).",
                "type": "string",
                "enum": [
                  "firstParent",
                  "all"
                ],
                "default": "firstParent"
              },
              "groups": {
                "description": "Groups of principals of keys/spec_signers, for `by`.",
                "type": "object",
                "maxProperties": 200,
                "propertyNames": {
                  "pattern": "^[a-z][a-z0-9_]{0,62}$"
                },
                "additionalProperties": {
                  "$ref": "#/$defs/principals"
                },
                "examples": [
                  {
                    "operators": [
                      "omar@hq.example",
                      "oya@hq.example"
                    ]
                  }
                ]
              },
              "paths": {
                "description": "Who may change what: the first rule that matches a path counts. No match: nobody. No `paths` at all: everyone.",
                "type": "array",
                "minItems": 1,
                "maxItems": 500,
                "items": {
                  "$ref": "#/$defs/pathRule"
                }
              },
              "forges": {
                "$ref": "#/$defs/principals",
                "description": "Principals of keys/spec_signers that are a forge's own key: good for merges whose tree is the clean merge of their parents and whose commits are signed and authorised, and for squashes whose plan is approved. For nothing else.",
                "examples": [
                  [
                    "forge@hq.example"
                  ]
                ]
              }
            }
          },
          "brakes": {
            "description": "What makes a plan wait.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "prunePercent": {
                "description": "A plan that prunes more than this share of a tenant's DAGs waits for a person.",
                "type": "integer",
                "minimum": 0,
                "maximum": 100,
                "default": 20
              }
            }
          }
        }
      }
    },
    "$defs": {
      "principals": {
        "description": "Principals as keys/spec_signers names them: the first plain name of a line.",
        "type": "array",
        "minItems": 1,
        "maxItems": 1000,
        "uniqueItems": true,
        "items": {
          "type": "string",
          "minLength": 1,
          "maxLength": 200,
          "pattern": "^[^\\s\"#]+$"
        },
        "examples": [
          [
            "ana@acme.example"
          ]
        ]
      },
      "pathRule": {
        "title": "PathRule",
        "description": "Whose signature a change of these paths needs, and how many approvals.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "match",
          "by"
        ],
        "properties": {
          "match": {
            "description": "A glob over the whole path: `*` and `?` within a segment, `**` for any number of segments, `{a,b}` for one of several.",
            "type": "string",
            "minLength": 1,
            "maxLength": 500,
            "examples": [
              "tenants/*/{quota,allowlist,slo}.yaml"
            ]
          },
          "by": {
            "description": "A group of `groups`, or `everyone`: every key of keys/spec_signers.",
            "type": "string",
            "pattern": "^[a-z][a-z0-9_]{0,62}$",
            "examples": [
              "operators"
            ]
          },
          "approvals": {
            "description": "How many others of `by` must have approved.",
            "type": "integer",
            "minimum": 0,
            "maximum": 20,
            "default": 0
          }
        }
      }
    }
  },
  "site": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "site.schema.json",
    "title": "Site",
    "description": "sites/<site>.yaml: which tenants run at a site, and its recorder's public keys.",
    "type": "object",
    "additionalProperties": false,
    "required": [
      "apiVersion",
      "kind",
      "spec"
    ],
    "properties": {
      "apiVersion": {
        "$ref": "common.schema.json#/$defs/apiVersion"
      },
      "kind": {
        "description": "The kind that the path calls for.",
        "type": "string",
        "const": "Site"
      },
      "metadata": {
        "$ref": "common.schema.json#/$defs/metadata"
      },
      "spec": {
        "description": "What the site is.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "tenants",
          "audit"
        ],
        "properties": {
          "tenants": {
            "description": "Tenants that run here; `*` = all.",
            "type": "array",
            "minItems": 1,
            "maxItems": 1000,
            "uniqueItems": true,
            "items": {
              "title": "TenantOrStar",
              "type": "string",
              "pattern": "^(\\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$",
              "examples": [
                "acme",
                "*"
              ]
            },
            "examples": [
              [
                "*"
              ]
            ]
          },
          "audit": {
            "description": "The audit branch of this site.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "keys"
            ],
            "properties": {
              "keys": {
                "description": "Public keys of the recorder, one after another.",
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "items": {
                  "type": "object",
                  "additionalProperties": false,
                  "required": [
                    "key"
                  ],
                  "properties": {
                    "key": {
                      "title": "Ed25519PublicKey",
                      "description": "OpenSSH public key, ed25519.",
                      "type": "string",
                      "pattern": "^ssh-ed25519 [A-Za-z0-9+/]{60,100}={0,2}( [^\\r\\n]{0,200})?$",
                      "examples": [
                        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
                      ]
                    },
                    "from": {
                      "description": "The first batch that this key signs, from 1.",
                      "type": "integer",
                      "minimum": 1,
                      "maximum": 9007199254740991,
                      "default": 1
                    }
                  },
                  "description": "One key, from the first batch that it signs."
                }
              }
            }
          },
          "offline": {
            "description": "How old the newest verified commit may be, by its committer's time. Without it a site may be as old as it likes.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "warnAfter": {
                "$ref": "#/$defs/age",
                "description": "From then on the site's Ready condition says `Stale`; everything goes on.",
                "default": "never",
                "examples": [
                  "14d"
                ]
              },
              "stopAfter": {
                "$ref": "#/$defs/age",
                "description": "From then on nothing new starts: slots are skips, starts are refused. What runs ends.",
                "default": "never",
                "examples": [
                  "90d"
                ]
              }
            },
            "examples": [
              {
                "warnAfter": "14d",
                "stopAfter": "never"
              }
            ]
          }
        }
      }
    },
    "$defs": {
      "age": {
        "title": "Age",
        "description": "Whole hours or days, or `never`.",
        "type": "string",
        "pattern": "^(never|[1-9]([0-9]{0,4}h|[0-9]{0,3}d))$",
        "examples": [
          "14d",
          "never"
        ]
      }
    }
  },
  "tenant": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "tenant.schema.json",
    "title": "Tenant",
    "description": "tenants/<tenant>/tenant.yaml: who owns a tenant.",
    "type": "object",
    "additionalProperties": false,
    "required": [
      "apiVersion",
      "kind",
      "spec"
    ],
    "properties": {
      "apiVersion": {
        "$ref": "common.schema.json#/$defs/apiVersion"
      },
      "kind": {
        "description": "The kind that the path calls for.",
        "type": "string",
        "const": "Tenant"
      },
      "metadata": {
        "$ref": "common.schema.json#/$defs/metadata"
      },
      "spec": {
        "description": "Who owns the tenant, and whether it may run and change.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "owners"
        ],
        "properties": {
          "owners": {
            "description": "Who answers for this tenant: signer principals.",
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "uniqueItems": true,
            "items": {
              "type": "string",
              "minLength": 1,
              "maxLength": 200
            },
            "examples": [
              [
                "ana@acme.example"
              ]
            ]
          },
          "contact": {
            "description": "Where people are reached.",
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "examples": [
              "ops@acme.example"
            ]
          },
          "suspend": {
            "description": "true: no run of this tenant starts.",
            "type": "boolean",
            "default": false
          },
          "freeze": {
            "description": "Windows in which changes of this tenant wait; runs go on. A commit that takes the window out lifts it.",
            "type": "array",
            "maxItems": 50,
            "items": {
              "title": "FreezeWindow",
              "type": "object",
              "additionalProperties": false,
              "required": [
                "from",
                "until",
                "rationale"
              ],
              "properties": {
                "from": {
                  "$ref": "common.schema.json#/$defs/instant",
                  "description": "Changes wait from here on."
                },
                "until": {
                  "$ref": "common.schema.json#/$defs/instant",
                  "description": "From here on they are applied."
                },
                "rationale": {
                  "$ref": "common.schema.json#/$defs/rationale"
                }
              },
              "description": "One window in which changes wait."
            },
            "default": [],
            "examples": [
              [
                {
                  "from": "2026-12-24T00:00:00Z",
                  "until": "2026-12-27T00:00:00Z",
                  "rationale": "holidays"
                }
              ]
            ]
          }
        }
      }
    }
  },
  "quota": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "quota.schema.json",
    "title": "Quota",
    "description": "tenants/<tenant>/quota.yaml: how much a tenant may use. Without the file the defaults hold.",
    "type": "object",
    "additionalProperties": false,
    "required": [
      "apiVersion",
      "kind",
      "spec"
    ],
    "properties": {
      "apiVersion": {
        "$ref": "common.schema.json#/$defs/apiVersion"
      },
      "kind": {
        "description": "The kind that the path calls for.",
        "type": "string",
        "const": "Quota"
      },
      "metadata": {
        "$ref": "common.schema.json#/$defs/metadata"
      },
      "spec": {
        "description": "What the tenant may use.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "weight": {
            "description": "Share of idle capacity against other tenants.",
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "default": 1
          },
          "runs": {
            "description": "Of all DAGs together.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "maxConcurrent": {
                "description": "Runs at once.",
                "type": "integer",
                "minimum": 1,
                "maximum": 1000,
                "default": 4
              },
              "maxQueued": {
                "description": "Unfinished runs that may wait.",
                "type": "integer",
                "minimum": 1,
                "maximum": 100000,
                "default": 100
              },
              "startsPerHour": {
                "description": "Runs that may start in one hour of UTC, from its first minute; more wait for the next. Without it: no bound.",
                "type": "integer",
                "minimum": 1,
                "maximum": 100000,
                "examples": [
                  120
                ]
              }
            }
          },
          "steps": {
            "description": "Of all runs together.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "maxConcurrent": {
                "description": "Steps at once, over all runs.",
                "type": "integer",
                "minimum": 1,
                "maximum": 1000,
                "default": 4
              }
            }
          },
          "perStep": {
            "description": "Ceilings of one step.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "memory": {
                "$ref": "common.schema.json#/$defs/size",
                "description": "Memory of one step.",
                "default": "256Mi"
              },
              "cpuTime": {
                "$ref": "common.schema.json#/$defs/duration",
                "description": "CPU time of one attempt.",
                "default": "60s"
              },
              "timeout": {
                "$ref": "common.schema.json#/$defs/duration",
                "description": "Wall time of one attempt.",
                "default": "10m"
              },
              "scratch": {
                "$ref": "common.schema.json#/$defs/size",
                "description": "Scratch space of one attempt.",
                "default": "64Mi"
              },
              "output": {
                "$ref": "common.schema.json#/$defs/size",
                "description": "Canonical text of one output, at most 1Mi.",
                "default": "1Mi"
              }
            }
          },
          "perDay": {
            "description": "What all runs may use in one day of UTC. A start after it is used up is refused, a slot skipped; what runs goes on.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "cpuTime": {
                "$ref": "common.schema.json#/$defs/duration",
                "description": "CPU time of all attempts that ended that day. Without it: no bound.",
                "examples": [
                  "2h"
                ]
              },
              "artifacts": {
                "$ref": "common.schema.json#/$defs/size",
                "description": "Bytes of the artifacts that these attempts wrote. Without it: no bound.",
                "examples": [
                  "2Gi"
                ]
              }
            }
          },
          "minInterval": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "The shortest time between two slots of a schedule.",
            "default": "1m"
          },
          "overrides": {
            "description": "Other values until an instant. Of two that hold at once the later entry wins, field by field.",
            "type": "array",
            "maxItems": 50,
            "items": {
              "$ref": "#/$defs/quotaOverride"
            },
            "default": [],
            "examples": [
              [
                {
                  "until": "2026-12-01T06:00:00Z",
                  "runs": {
                    "maxConcurrent": 8
                  },
                  "rationale": "month end"
                }
              ]
            ]
          }
        }
      }
    },
    "$defs": {
      "quotaOverride": {
        "title": "QuotaOverride",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "until",
          "rationale"
        ],
        "properties": {
          "until": {
            "$ref": "common.schema.json#/$defs/instant",
            "description": "From here on it no longer holds, without a commit."
          },
          "rationale": {
            "$ref": "common.schema.json#/$defs/rationale"
          },
          "weight": {
            "description": "Share of idle capacity against other tenants.",
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "examples": [
              4
            ]
          },
          "runs": {
            "description": "Of all DAGs together.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "maxConcurrent": {
                "description": "Runs at once.",
                "type": "integer",
                "minimum": 1,
                "maximum": 1000,
                "examples": [
                  8
                ]
              },
              "maxQueued": {
                "description": "Unfinished runs that may wait.",
                "type": "integer",
                "minimum": 1,
                "maximum": 100000,
                "examples": [
                  400
                ]
              },
              "startsPerHour": {
                "description": "Runs that may start in one hour of UTC, from its first minute; more wait for the next. Without it: no bound.",
                "type": "integer",
                "minimum": 1,
                "maximum": 100000,
                "examples": [
                  240
                ]
              }
            }
          },
          "steps": {
            "description": "Of all runs together.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "maxConcurrent": {
                "description": "Steps at once, over all runs.",
                "type": "integer",
                "minimum": 1,
                "maximum": 1000,
                "examples": [
                  16
                ]
              }
            }
          },
          "perStep": {
            "description": "Ceilings of one step.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "memory": {
                "$ref": "common.schema.json#/$defs/size",
                "description": "Memory of one step."
              },
              "cpuTime": {
                "$ref": "common.schema.json#/$defs/duration",
                "description": "CPU time of one attempt."
              },
              "timeout": {
                "$ref": "common.schema.json#/$defs/duration",
                "description": "Wall time of one attempt."
              },
              "scratch": {
                "$ref": "common.schema.json#/$defs/size",
                "description": "Scratch space of one attempt."
              },
              "output": {
                "$ref": "common.schema.json#/$defs/size",
                "description": "Canonical text of one output, at most 1Mi."
              }
            }
          },
          "perDay": {
            "description": "What all runs may use in one day of UTC. A start after it is used up is refused, a slot skipped; what runs goes on.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "cpuTime": {
                "$ref": "common.schema.json#/$defs/duration",
                "description": "CPU time of all attempts that ended that day. Without it: no bound."
              },
              "artifacts": {
                "$ref": "common.schema.json#/$defs/size",
                "description": "Bytes of the artifacts that these attempts wrote. Without it: no bound."
              }
            }
          },
          "minInterval": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "The shortest time between two slots of a schedule."
          }
        },
        "description": "Other values until an instant."
      }
    }
  },
  "allowlist": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "allowlist.schema.json",
    "title": "Allowlist",
    "description": "tenants/<tenant>/allowlist.yaml: what a tenant may use. Without the file nothing is granted, core.* neither.",
    "type": "object",
    "additionalProperties": false,
    "required": [
      "apiVersion",
      "kind",
      "spec"
    ],
    "properties": {
      "apiVersion": {
        "$ref": "common.schema.json#/$defs/apiVersion"
      },
      "kind": {
        "description": "The kind that the path calls for.",
        "type": "string",
        "const": "Allowlist"
      },
      "metadata": {
        "$ref": "common.schema.json#/$defs/metadata"
      },
      "spec": {
        "description": "What the tenant's steps may name: plugins, endpoints and secrets.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "plugins": {
            "description": "Plugins that its DAGs may use.",
            "type": "array",
            "maxItems": 500,
            "default": [],
            "items": {
              "type": "object",
              "additionalProperties": false,
              "required": [
                "name",
                "versions"
              ],
              "properties": {
                "name": {
                  "$ref": "common.schema.json#/$defs/pluginGlob"
                },
                "versions": {
                  "description": "Versions granted.",
                  "type": "array",
                  "minItems": 1,
                  "maxItems": 50,
                  "items": {
                    "$ref": "common.schema.json#/$defs/versionRange"
                  },
                  "examples": [
                    [
                      "1.x"
                    ]
                  ]
                },
                "rationale": {
                  "$ref": "common.schema.json#/$defs/rationale"
                }
              },
              "description": "One plugin, or all of a service, and the versions granted."
            }
          },
          "endpoints": {
            "description": "Hosts and ports that its steps may reach.",
            "type": "array",
            "maxItems": 500,
            "default": [],
            "items": {
              "type": "object",
              "additionalProperties": false,
              "required": [
                "host",
                "port",
                "for"
              ],
              "properties": {
                "host": {
                  "$ref": "common.schema.json#/$defs/host"
                },
                "port": {
                  "description": "TCP port.",
                  "type": "integer",
                  "minimum": 1,
                  "maximum": 65535,
                  "examples": [
                    443
                  ]
                },
                "private": {
                  "description": "true: the address may be loopback, private or link-local.",
                  "type": "boolean",
                  "default": false
                },
                "for": {
                  "description": "Plugins that may reach it.",
                  "type": "array",
                  "minItems": 1,
                  "maxItems": 50,
                  "items": {
                    "$ref": "common.schema.json#/$defs/pluginGlob"
                  },
                  "examples": [
                    [
                      "notify.*"
                    ]
                  ]
                },
                "rationale": {
                  "$ref": "common.schema.json#/$defs/rationale"
                }
              },
              "description": "One endpoint, and the plugins that may reach it."
            }
          },
          "secrets": {
            "description": "Secrets of the tenant that its steps may be lent.",
            "type": "array",
            "maxItems": 500,
            "default": [],
            "items": {
              "type": "object",
              "additionalProperties": false,
              "required": [
                "name",
                "for"
              ],
              "properties": {
                "name": {
                  "$ref": "common.schema.json#/$defs/name",
                  "description": "Name of the secret.",
                  "examples": [
                    "notify_token"
                  ]
                },
                "for": {
                  "description": "Plugins that may be lent it.",
                  "type": "array",
                  "minItems": 1,
                  "maxItems": 50,
                  "items": {
                    "$ref": "common.schema.json#/$defs/pluginGlob"
                  },
                  "examples": [
                    [
                      "notify.*"
                    ]
                  ]
                },
                "rationale": {
                  "$ref": "common.schema.json#/$defs/rationale"
                }
              },
              "description": "One secret, and the plugins that may be lent it."
            }
          }
        }
      }
    }
  },
  "slo": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "slo.schema.json",
    "title": "Slo",
    "description": "tenants/<tenant>/slo.yaml: what a tenant promises of its DAGs.",
    "type": "object",
    "additionalProperties": false,
    "required": [
      "apiVersion",
      "kind",
      "spec"
    ],
    "properties": {
      "apiVersion": {
        "$ref": "common.schema.json#/$defs/apiVersion"
      },
      "kind": {
        "description": "The kind that the path calls for.",
        "type": "string",
        "const": "Slo"
      },
      "metadata": {
        "$ref": "common.schema.json#/$defs/metadata"
      },
      "spec": {
        "description": "What the tenant promises.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "objectives"
        ],
        "properties": {
          "objectives": {
            "description": "One entry a DAG.",
            "type": "array",
            "minItems": 1,
            "maxItems": 1000,
            "items": {
              "$ref": "#/$defs/objective"
            }
          }
        }
      }
    },
    "$defs": {
      "objective": {
        "title": "Objective",
        "description": "What is promised of one DAG: at least one of success, within and fresh.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "dag"
        ],
        "properties": {
          "dag": {
            "$ref": "common.schema.json#/$defs/id",
            "description": "A DAG of this tenant.",
            "examples": [
              "nightly-vex"
            ]
          },
          "success": {
            "title": "Percent",
            "description": "Share of the runs of a window that succeed, above 0% and up to 100%, with at most three decimals.",
            "type": "string",
            "pattern": "^(100(\\.0{1,3})?|(?!0(\\.0{1,3})?%)(0|[1-9][0-9]?)(\\.[0-9]{1,3})?)%$",
            "examples": [
              "99%",
              "99.9%"
            ]
          },
          "within": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "A run ends within this time from its slot, or from its admission.",
            "examples": [
              "30m"
            ]
          },
          "fresh": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "The last success is never older than this.",
            "examples": [
              "26h"
            ]
          },
          "window": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "The time that success looks back over.",
            "default": "30d"
          }
        }
      }
    }
  },
  "dag": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "dag.schema.json",
    "title": "Dag",
    "description": "tenants/<tenant>/dags/<dagId>.yaml: steps that run in the order of their needs.",
    "type": "object",
    "additionalProperties": false,
    "required": [
      "apiVersion",
      "kind",
      "spec"
    ],
    "properties": {
      "apiVersion": {
        "$ref": "common.schema.json#/$defs/apiVersion"
      },
      "kind": {
        "description": "The kind that the path calls for.",
        "type": "string",
        "const": "Dag"
      },
      "metadata": {
        "$ref": "common.schema.json#/$defs/metadata"
      },
      "spec": {
        "description": "What the DAG is: its steps, and when they run.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "steps"
        ],
        "properties": {
          "rationale": {
            "$ref": "common.schema.json#/$defs/rationale"
          },
          "inputs": {
            "description": "Inputs of a run in short form; expands to inputsSchema.",
            "type": "object",
            "maxProperties": 100,
            "propertyNames": {
              "$ref": "common.schema.json#/$defs/name"
            },
            "additionalProperties": {
              "$ref": "#/$defs/input"
            },
            "examples": [
              {
                "day": {
                  "type": "date"
                }
              }
            ]
          },
          "inputsSchema": {
            "$ref": "common.schema.json#/$defs/valueSchema",
            "description": "A whole JSON Schema of the inputs object, in place of `inputs`."
          },
          "schedules": {
            "description": "When runs start by themselves.",
            "type": "array",
            "maxItems": 20,
            "default": [],
            "items": {
              "$ref": "#/$defs/schedule"
            }
          },
          "concurrency": {
            "description": "Runs of this DAG beside each other.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "max": {
                "description": "Unfinished runs of this DAG that may run at once.",
                "type": "integer",
                "minimum": 1,
                "maximum": 100,
                "default": 1
              },
              "overlap": {
                "description": "What a start beyond max does: wait, be skipped, or replace what waits.",
                "type": "string",
                "enum": [
                  "queue",
                  "skip",
                  "latest"
                ],
                "default": "queue"
              }
            },
            "examples": [
              {
                "max": 1,
                "overlap": "queue"
              }
            ]
          },
          "timeout": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "Wall time of a run, from its start.",
            "default": "1h"
          },
          "steps": {
            "description": "The steps by name.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 200,
            "propertyNames": {
              "$ref": "common.schema.json#/$defs/name"
            },
            "additionalProperties": {
              "$ref": "#/$defs/step"
            }
          },
          "finally": {
            "description": "Steps that run once after all others, whatever happened.",
            "type": "object",
            "minProperties": 0,
            "maxProperties": 50,
            "propertyNames": {
              "$ref": "common.schema.json#/$defs/name"
            },
            "additionalProperties": {
              "$ref": "#/$defs/step"
            }
          }
        }
      }
    },
    "$defs": {
      "input": {
        "description": "One input in short form; it expands to JSON Schema.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type"
        ],
        "title": "Input",
        "properties": {
          "type": {
            "title": "InputType",
            "description": "`date` is a string YYYY-MM-DD.",
            "type": "string",
            "enum": [
              "string",
              "number",
              "integer",
              "boolean",
              "date",
              "array",
              "object"
            ],
            "examples": [
              "date"
            ]
          },
          "description": {
            "description": "What the input is, for people.",
            "type": "string",
            "maxLength": 500,
            "examples": [
              "The day whose statements are linked."
            ]
          },
          "default": {
            "description": "Used where none is given; an input without default is required.",
            "examples": [
              "2026-03-01"
            ]
          },
          "enum": {
            "description": "The values allowed.",
            "type": "array",
            "minItems": 1,
            "maxItems": 200,
            "examples": [
              [
                "info",
                "warn"
              ]
            ]
          },
          "minimum": {
            "description": "The least number allowed.",
            "type": "number",
            "examples": [
              0
            ]
          },
          "maximum": {
            "description": "The greatest number allowed.",
            "type": "number",
            "examples": [
              100
            ]
          },
          "minLength": {
            "$ref": "common.schema.json#/$defs/count",
            "description": "The fewest characters of a text.",
            "examples": [
              1
            ]
          },
          "maxLength": {
            "$ref": "common.schema.json#/$defs/count",
            "description": "The most characters of a text; lint counts the cost of expressions with it.",
            "examples": [
              200
            ]
          },
          "minItems": {
            "$ref": "common.schema.json#/$defs/count",
            "description": "The fewest items of an array.",
            "examples": [
              1
            ]
          },
          "maxItems": {
            "$ref": "common.schema.json#/$defs/count",
            "description": "The most items of an array; lint counts the cost of expressions with it.",
            "examples": [
              500
            ]
          },
          "items": {
            "$ref": "common.schema.json#/$defs/valueSchema",
            "description": "Schema of the items of an array.",
            "examples": [
              {
                "type": "string"
              }
            ]
          }
        },
        "examples": [
          {
            "type": "date"
          }
        ]
      },
      "schedule": {
        "description": "When runs start by themselves.",
        "type": "object",
        "additionalProperties": false,
        "title": "Schedule",
        "properties": {
          "name": {
            "$ref": "common.schema.json#/$defs/id",
            "description": "Name of the schedule; required where there are two.",
            "default": "default"
          },
          "cron": {
            "title": "Cron",
            "description": "Five fields: minute hour day-of-month month day-of-week; L, # and W too. Both day fields set: either counts. Exactly one of cron and every.",
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "examples": [
              "30 3 * * *"
            ]
          },
          "every": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "An interval aligned to the epoch, without daylight saving. Exactly one of cron and every.",
            "examples": [
              "15m"
            ]
          },
          "timezone": {
            "title": "Timezone",
            "description": "IANA time zone of cron and of slot.local and slot.date.",
            "type": "string",
            "pattern": "^[A-Za-z][A-Za-z0-9_+/-]{0,63}$",
            "default": "UTC",
            "examples": [
              "Europe/Vienna"
            ]
          },
          "catchUp": {
            "description": "Slots that were missed.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "policy": {
                "description": "What happens to slots of a time when no scheduler ran: none starts (up to 1 minute late still does), the latest, or all.",
                "type": "string",
                "enum": [
                  "none",
                  "latest",
                  "all"
                ],
                "default": "none"
              },
              "maxAge": {
                "$ref": "common.schema.json#/$defs/duration",
                "description": "Slots older than this are never caught up.",
                "examples": [
                  "24h"
                ]
              }
            },
            "examples": [
              {
                "policy": "latest",
                "maxAge": "24h"
              }
            ]
          },
          "inputs": {
            "description": "Inputs of the runs that it starts; expressions over `slot`.",
            "type": "object",
            "maxProperties": 100,
            "default": {},
            "examples": [
              {
                "day": "${{ slot.date }}"
              }
            ]
          }
        },
        "examples": [
          {
            "cron": "30 3 * * *",
            "timezone": "Europe/Vienna"
          }
        ]
      },
      "step": {
        "description": "One step: a plugin with its input and limits.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "uses"
        ],
        "title": "Step",
        "properties": {
          "uses": {
            "title": "Uses",
            "description": "The plugin, `name@version`.",
            "type": "string",
            "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?@(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})$",
            "examples": [
              "core.log@1.0.0"
            ]
          },
          "needs": {
            "title": "Needs",
            "description": "Steps that must end before (a name, or a set of names).",
            "type": [
              "string",
              "array"
            ],
            "pattern": "^[a-z][a-z0-9_]{0,62}$",
            "uniqueItems": true,
            "maxItems": 200,
            "items": {
              "$ref": "common.schema.json#/$defs/name",
              "type": "string"
            },
            "default": [],
            "examples": [
              "collect",
              [
                "collect",
                "link"
              ]
            ]
          },
          "when": {
            "$ref": "common.schema.json#/$defs/expression",
            "description": "The step runs only where this is true."
          },
          "with": {
            "description": "Input of the plugin; texts may hold `${{ }}` expressions.",
            "type": "object",
            "maxProperties": 200,
            "default": {},
            "examples": [
              {
                "summary": "${{ steps.judge.outputs.changed }} documents changed"
              }
            ]
          },
          "code": {
            "description": "For core.js alone: one JavaScript expression, a function (input, ctx) => output.",
            "type": "string",
            "minLength": 1,
            "maxLength": 32768,
            "examples": [
              "({ documents }) => ({ count: documents.length })"
            ]
          },
          "files": {
            "description": "Globs (`**`, `*`, `?`) of files under tenants/<tenant>/files/ that the step may read (a set).",
            "type": "array",
            "maxItems": 100,
            "uniqueItems": true,
            "default": [],
            "items": {
              "title": "FilePattern",
              "description": "A path below files/ without `..`, `\\` or a leading `/`; `**`, `*` and `?` may stand for parts of it.",
              "type": "string",
              "pattern": "^(?!/)(?!\\.\\.?(/|$))(?!.*/\\.\\.?(/|$))[^\\\\\\u0000-\\u001f]{1,300}$",
              "examples": [
                "data/vex/**"
              ]
            }
          },
          "network": {
            "description": "Endpoints that the step may reach, where the allowlist grants them (a set).",
            "type": "array",
            "maxItems": 50,
            "uniqueItems": true,
            "default": [],
            "items": {
              "$ref": "common.schema.json#/$defs/endpoint",
              "type": "string"
            }
          },
          "secrets": {
            "description": "Secrets lent to the step: the name in the plugin, and the name of the tenant's secret. Never a value.",
            "type": "object",
            "maxProperties": 16,
            "default": {},
            "propertyNames": {
              "$ref": "common.schema.json#/$defs/name"
            },
            "additionalProperties": {
              "$ref": "common.schema.json#/$defs/name",
              "type": "string"
            },
            "examples": [
              {
                "token": "notify_token"
              }
            ]
          },
          "forEach": {
            "$ref": "#/$defs/forEach"
          },
          "retry": {
            "$ref": "#/$defs/retry"
          },
          "limits": {
            "$ref": "#/$defs/limits"
          },
          "continueOnError": {
            "description": "true: what needs this step goes on although it failed.",
            "type": "boolean",
            "default": false
          },
          "isolation": {
            "description": "Raises the plugin's isolation.",
            "type": "string",
            "enum": [
              "host"
            ],
            "examples": [
              "host"
            ]
          }
        }
      },
      "forEach": {
        "description": "Run the step once for each item of a list.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "in"
        ],
        "title": "ForEach",
        "properties": {
          "in": {
            "title": "ItemList",
            "description": "A list, or one whole `${{ }}` expression that gives one.",
            "type": [
              "string",
              "array"
            ],
            "maxItems": 10000,
            "pattern": "^\\s*\\$\\{\\{[\\s\\S]*\\}\\}\\s*$",
            "maxLength": 8192,
            "examples": [
              "${{ steps.collect.outputs.documents }}"
            ]
          },
          "as": {
            "$ref": "common.schema.json#/$defs/name",
            "description": "Name of the item in expressions of this step; `index` counts from 0.",
            "default": "item"
          },
          "maxItems": {
            "description": "More items than this fail the step.",
            "type": "integer",
            "minimum": 1,
            "maximum": 10000,
            "default": 1000
          },
          "maxParallel": {
            "description": "Items at once; none of its own by default.",
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "examples": [
              8
            ]
          }
        },
        "examples": [
          {
            "in": "${{ steps.collect.outputs.documents }}",
            "as": "doc",
            "maxParallel": 8
          }
        ]
      },
      "retry": {
        "description": "When a failed attempt is repeated.",
        "type": "object",
        "additionalProperties": false,
        "title": "Retry",
        "properties": {
          "maxAttempts": {
            "description": "Attempts in all; the first counts.",
            "type": "integer",
            "minimum": 1,
            "maximum": 20,
            "default": 1
          },
          "backoff": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "Wait before the second attempt.",
            "default": "5s"
          },
          "factor": {
            "description": "Each further wait is this many times longer.",
            "type": "number",
            "minimum": 1,
            "maximum": 10,
            "default": 2
          },
          "maxBackoff": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "The longest wait.",
            "default": "5m"
          },
          "errors": {
            "description": "Classes of errors that are tried again (a set).",
            "type": "array",
            "uniqueItems": true,
            "items": {
              "title": "ErrorClass",
              "type": "string",
              "enum": [
                "transient",
                "permanent",
                "resource",
                "timeout",
                "lost",
                "poison"
              ]
            },
            "default": [
              "transient",
              "timeout"
            ]
          }
        },
        "examples": [
          {
            "maxAttempts": 3,
            "backoff": "5s",
            "errors": [
              "transient",
              "lost",
              "timeout"
            ]
          }
        ]
      },
      "limits": {
        "description": "What one attempt may use; the quota's perStep is the ceiling.",
        "type": "object",
        "additionalProperties": false,
        "title": "Limits",
        "properties": {
          "memory": {
            "$ref": "common.schema.json#/$defs/size",
            "description": "Memory of the step.",
            "default": "128Mi"
          },
          "cpuTime": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "CPU time of one attempt.",
            "default": "60s"
          },
          "scratch": {
            "$ref": "common.schema.json#/$defs/size",
            "description": "Private files below /tmp.",
            "default": "16Mi"
          },
          "timeout": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "Wall time of one attempt.",
            "default": "5m"
          }
        },
        "examples": [
          {
            "memory": "128Mi",
            "cpuTime": "20s",
            "timeout": "60s"
          }
        ]
      }
    }
  },
  "plugin": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "plugin.schema.json",
    "title": "Plugin",
    "description": "plugins/<name>/<version>/plugin.yaml: what a plugin is, what it takes, gives and needs. A version is immutable.",
    "type": "object",
    "additionalProperties": false,
    "required": [
      "apiVersion",
      "kind",
      "spec"
    ],
    "properties": {
      "apiVersion": {
        "$ref": "common.schema.json#/$defs/apiVersion"
      },
      "kind": {
        "description": "The kind that the path calls for.",
        "type": "string",
        "const": "Plugin"
      },
      "metadata": {
        "$ref": "common.schema.json#/$defs/metadata"
      },
      "spec": {
        "description": "What the plugin is.",
        "type": "object",
        "additionalProperties": false,
        "required": [
          "service",
          "emits",
          "sha256",
          "input",
          "output"
        ],
        "properties": {
          "service": {
            "$ref": "common.schema.json#/$defs/id",
            "description": "The owning service: the first half of the plugin's name.",
            "examples": [
              "vex-lens"
            ]
          },
          "emits": {
            "description": "`derived` where the output holds fields of schemas/aoc.json that the service owns, else `raw`.",
            "type": "string",
            "enum": [
              "raw",
              "derived"
            ],
            "examples": [
              "raw"
            ]
          },
          "sha256": {
            "title": "Sha256",
            "description": "SHA-256 of plugin.js.",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "examples": [
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            ]
          },
          "effects": {
            "description": "What a second execution does outside: nothing, the same again, or anything. A lost attempt is repeated only for the first two.",
            "type": "string",
            "enum": [
              "none",
              "idempotent",
              "any"
            ],
            "default": "any"
          },
          "needs": {
            "description": "What it cannot do without.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "network": {
                "description": "true: it talks to the endpoints of its step.",
                "type": "boolean",
                "default": false
              },
              "secrets": {
                "description": "Secrets that it takes, by its own names: a name, or a name with `optional: true`. Each other one must be given.",
                "type": "array",
                "maxItems": 16,
                "default": [],
                "items": {
                  "title": "NeededSecret",
                  "type": [
                    "string",
                    "object"
                  ],
                  "pattern": "^[a-z][a-z0-9_]{0,62}$",
                  "additionalProperties": false,
                  "required": [
                    "name"
                  ],
                  "properties": {
                    "name": {
                      "$ref": "common.schema.json#/$defs/name"
                    },
                    "optional": {
                      "description": "true: the plugin also works without.",
                      "type": "boolean",
                      "default": false
                    }
                  },
                  "examples": [
                    "token",
                    {
                      "name": "token",
                      "optional": true
                    }
                  ]
                }
              },
              "builtins": {
                "description": "Node.js built-ins that it requires; any of them demands isolation `host`.",
                "type": "array",
                "maxItems": 20,
                "uniqueItems": true,
                "default": [],
                "items": {
                  "title": "Builtin",
                  "type": "string",
                  "pattern": "^node:[a-z_]{1,30}(/[a-z]{1,30})?$",
                  "examples": [
                    "node:crypto"
                  ]
                }
              }
            }
          },
          "isolation": {
            "description": "`realm`: a fresh V8 context in a warm thread. `host`: a host process of its own.",
            "type": "string",
            "enum": [
              "realm",
              "host"
            ],
            "default": "realm"
          },
          "nondeterministic": {
            "description": "true: it sees the real clock and real chance; replays substitute its output.",
            "type": "boolean",
            "default": false
          },
          "input": {
            "$ref": "common.schema.json#/$defs/valueSchema",
            "description": "JSON Schema of `with`; type object."
          },
          "output": {
            "$ref": "common.schema.json#/$defs/valueSchema",
            "description": "JSON Schema of the output; type object."
          }
        }
      }
    }
  },
  "config": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "config.schema.json",
    "title": "Config",
    "description": "<data>/config.yaml: configuration of one installation; flags win over ORRERY_ environment variables, these over the file.",
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "site": {
        "description": "Which site this installation is.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "name": {
            "$ref": "common.schema.json#/$defs/id",
            "description": "Name of this site, as in sites/<site>.yaml.",
            "default": "local"
          }
        }
      },
      "spec": {
        "description": "Where the desired state stands.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "ref": {
            "title": "SpecRef",
            "description": "The ref that is reconciled, in full.",
            "type": "string",
            "pattern": "^refs/heads/[A-Za-z0-9._-]{1,100}(/[A-Za-z0-9._-]{1,100}){0,5}$",
            "default": "refs/heads/main"
          }
        }
      },
      "repository": {
        "description": "Path of the spec repository, bare or not.",
        "type": "string",
        "minLength": 1,
        "maxLength": 4096,
        "examples": [
          "/srv/git/specs.git"
        ]
      },
      "data": {
        "description": "The data directory. Default: /var/lib/orrery as root, else $XDG_STATE_HOME/orrery.",
        "type": "string",
        "minLength": 1,
        "maxLength": 4096,
        "examples": [
          "/var/lib/orrery"
        ]
      },
      "http": {
        "description": "API and page.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "listen": {
            "title": "Listen",
            "type": "string",
            "pattern": "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?|\\[[0-9a-f:.]{2,45}\\]):(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$",
            "examples": [
              "127.0.0.1:7433"
            ],
            "description": "Address of API and page; port 0 = any free one.",
            "default": "127.0.0.1:7433"
          }
        }
      },
      "metrics": {
        "description": "Metrics.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "listen": {
            "title": "Listen",
            "type": "string",
            "pattern": "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?|\\[[0-9a-f:.]{2,45}\\]):(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$",
            "examples": [
              "127.0.0.1:7434"
            ],
            "description": "Address of /metrics; its labels list all tenants.",
            "default": "127.0.0.1:7434"
          }
        }
      },
      "audit": {
        "description": "The audit branch.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "repository": {
            "description": "`same`, or the path of another repository for the audit branch.",
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "default": "same"
          },
          "maxLag": {
            "$ref": "common.schema.json#/$defs/duration",
            "description": "Records that stay unsealed longer close admission.",
            "default": "24h"
          }
        }
      },
      "sandbox": {
        "description": "The walls round steps.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "minLevel": {
            "description": "Below this level nothing runs, unless allowWeak names the level.",
            "type": "string",
            "enum": [
              "sealed",
              "confined",
              "process"
            ],
            "default": "confined"
          },
          "allowWeak": {
            "description": "Accepts a weaker level, with a reason.",
            "type": "object",
            "additionalProperties": false,
            "required": [
              "level",
              "reason"
            ],
            "properties": {
              "level": {
                "description": "The weaker level that is accepted here.",
                "type": "string",
                "enum": [
                  "confined",
                  "process"
                ],
                "examples": [
                  "process"
                ]
              },
              "reason": {
                "$ref": "common.schema.json#/$defs/rationale",
                "description": "Why it is accepted; it stands on health and in the log."
              }
            }
          },
          "hosts": {
            "description": "Sandbox hosts at once. Default: 2 a core.",
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "examples": [
              4
            ]
          }
        }
      },
      "uids": {
        "description": "Users of child processes.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "base": {
            "description": "First numeric uid for the signer and sandbox hosts, used when the daemon is root.",
            "type": "integer",
            "minimum": 1000,
            "maximum": 2000000000,
            "default": 61000
          }
        }
      },
      "database": {
        "description": "The store.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "url": {
            "description": "A PostgreSQL server in place of the embedded one (DATABASE_URL).",
            "type": "string",
            "pattern": "^postgres(ql)?://",
            "maxLength": 2048,
            "examples": [
              "postgres://orrery@/orrery?host=/run/postgresql"
            ]
          }
        }
      },
      "trust": {
        "description": "The first revision.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "pinnedSigners": {
            "description": "Path of a signers file that the first revision must agree with. Without it: trust on first use.",
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "examples": [
              "/etc/orrery/spec_signers"
            ]
          }
        }
      }
    }
  }
};

/** schemas/aoc.json: derived keys and the service that owns each. */
export const aocKeys: Readonly<Record<string, string>> = {
  "severity": "policy",
  "effectiveSeverity": "policy",
  "normalizedSeverity": "policy",
  "severityOverride": "policy",
  "verdict": "policy",
  "policyVerdict": "policy",
  "policyDecision": "policy",
  "effectiveStatus": "policy",
  "gateResult": "policy",
  "waiver": "policy",
  "riskScore": "risk-engine",
  "riskLevel": "risk-engine",
  "riskRating": "risk-engine",
  "riskProfile": "risk-engine",
  "priorityScore": "risk-engine",
  "exploitability": "risk-engine",
  "consensus": "vex-lens",
  "consensusStatus": "vex-lens",
  "consensusScore": "vex-lens",
  "consensusConfidence": "vex-lens",
  "trustWeight": "vex-lens",
  "winningStatement": "vex-lens"
};
