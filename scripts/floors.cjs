// The house plan (DESIGN.md section 12), for the import law and for the map in docs/architecture.md: a new room is one
// word. A room imports lower floors, and earlier neighbours of its own floor.
module.exports = [
  { name: "ground", rooms: ["base"] },
  { name: "domain", rooms: ["spec", "trust", "policy", "dag", "calendar", "run", "record", "plan"] },
  {
    name: "plant",
    rooms: [
      "config",
      "telemetry",
      "git",
      "database",
      "store",
      "artifact",
      "secret",
      "signer",
      "compute",
      "egress",
      "sandbox",
      "bundle",
    ],
  },
  { name: "engines", rooms: ["reconciler", "scheduler", "worker", "recorder"] },
  { name: "doors", rooms: ["identity", "api", "web"] },
  { name: "roof", rooms: ["daemon", "cli"] },
];
