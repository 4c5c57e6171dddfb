/**
 * The import law (DESIGN.md section 12). A room imports lower floors, and earlier neighbours of its own floor, only
 * through the other room's index.ts. Built from the house plan below, so that a new room is one line.
 */
const floors = require("./scripts/floors.cjs").map(({ rooms }) => rooms);

const order = floors.flat();
const floorOf = (room) => floors.findIndex((rooms) => rooms.includes(room));
const engines = floors[3];

const mayImport = (room) =>
  order.filter((other) => {
    if (other === room) return true;
    if (floorOf(other) < floorOf(room)) return true;
    if (floorOf(other) > floorOf(room) || engines.includes(room)) return false;
    return order.indexOf(other) < order.indexOf(room);
  });

const roomRules = order.map((room) => ({
  name: `law-${room}`,
  severity: "error",
  comment: `${room}/ imports only lower floors and earlier neighbours`,
  from: { path: `^src/${room}/` },
  to: { path: "^src/", pathNot: `^src/(${mayImport(room).join("|")})/` },
}));

const doorRules = order.map((room) => ({
  name: `door-${room}`,
  severity: "error",
  comment: `${room}/ is entered through its index.ts`,
  from: { path: "^src/", pathNot: `^src/${room}/` },
  to: { path: `^src/${room}/`, pathNot: `^src/${room}/(index\\.ts$${room === "base" ? "|node-digest\\.ts$" : ""})` },
}));

const builtin = (name, modules, rooms) => ({
  name,
  severity: "error",
  comment: `${modules.join(", ")} only in ${rooms.join(", ")}`,
  from: { path: "^src/", pathNot: `^src/(${rooms.join("|")})/` },
  to: { path: `^(node:)?(${modules.join("|")})$` },
});

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
    ...roomRules,
    ...doorRules,
    {
      name: "pure-floors",
      severity: "error",
      comment: "floors 0-1 do no I/O",
      from: { path: `^src/(${[...floors[0], ...floors[1]].join("|")})/` },
      to: { path: "^(node:)?(fs|fs/promises|net|http|https|child_process|worker_threads|os|dgram|tls|dns|readline|process)$" },
    },
    {
      name: "browser-safe",
      severity: "error",
      comment: "record/ and trust/ run in a browser too",
      from: { path: "^src/(record|trust)/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "browser-safe-base",
      severity: "error",
      comment: "SHA-256 comes into pure rooms as a function",
      from: { path: `^src/(${floors[1].join("|")})/` },
      to: { path: "^src/base/node-digest\\.ts$" },
    },
    {
      name: "one-command-at-a-time",
      severity: "error",
      comment: "a command line loads its own command, not the daemon for `get`",
      from: { path: "^src/cli/(main|program|command-modules)\\.ts$" },
      to: { path: "^src/(cli/commands/|daemon/|api/)", dependencyTypesNot: ["dynamic-import"] },
    },
    {
      name: "inside-is-apart",
      severity: "error",
      comment: "what runs inside the sandbox imports nothing of the daemon",
      from: { path: "^sandbox/" },
      to: { path: "^src/" },
    },
    builtin("child-processes", ["child_process"], ["cli", "sandbox", "signer", "git", "bundle", "database"]),
    { name: "pg-home", severity: "error", from: { path: "^src/", pathNot: "^src/(database|store)/" }, to: { path: "node_modules/pg/" } },
    { name: "no-orphans", severity: "error", from: { orphan: true, path: "^src/", pathNot: "(main|entry|thread)[^/]*\\.ts$|\\.d\\.ts$" }, to: {} },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".js", ".json"] },
  },
};
