// All set-up of `npm start` and `npm test`. No dependencies, and syntax that an old Node.js still parses, so that it
// can say which Node.js is needed instead of dying on a token.
"use strict";
var childProcess = require("child_process");
var crypto = require("crypto");
var fs = require("fs");
var path = require("path");

var root = path.resolve(__dirname, "..");
var mode = process.argv[2] === "test" ? "test" : "start";
var startedMs = Date.now();

function say(line) {
  process.stderr.write(line + "\n");
}

function fail(message, fix) {
  say("orrery: " + message);
  say("    fix: " + fix);
  process.exit(2);
}

function needNode() {
  var parts = process.versions.node.split(".");
  var major = Number(parts[0]);
  var minor = Number(parts[1]);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    "ORY1001 NODE_TOO_OLD: this is Node.js " + process.versions.node + "; 20.19 or newer is needed",
    "install Node.js 20.19 or newer, then run the command again",
  );
}

function run(command, args, options) {
  var result = childProcess.spawnSync(
    command,
    args,
    Object.assign(
      { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 67108864 },
      options || {},
    ),
  );
  return {
    ok: result.status === 0,
    missing: !!result.error && result.error.code === "ENOENT",
    output: String(result.stdout || "") + String(result.stderr || ""),
  };
}

function mustRun(what, command, args, options) {
  var began = Date.now();
  var result = run(command, args, options);
  if (!result.ok) {
    say(result.output.slice(-6000));
    fail(what + " failed: " + command + " " + args.join(" "), "see the output above");
  }
  say("  " + what + " ".repeat(Math.max(1, 14 - what.length)) + ((Date.now() - began) / 1000).toFixed(1) + " s");
}

function has(command) {
  return (process.env.PATH || "").split(path.delimiter).some(function (dir) {
    try {
      fs.accessSync(path.join(dir, command), fs.constants.X_OK);
      return true;
    } catch (error) {
      return false;
    }
  });
}

// Programs by command: the package that brings it with each package manager.
var programs = {
  git: {
    why: "reads and checks the spec repository",
    required: true,
    packages: { "apt-get": "git", dnf: "git", apk: "git", zypper: "git", pacman: "git" },
  },
  "ssh-keygen": {
    why: "verifies signatures",
    required: true,
    packages: {
      "apt-get": "openssh-client",
      dnf: "openssh-clients",
      apk: "openssh-keygen",
      zypper: "openssh-clients",
      pacman: "openssh",
    },
  },
  bwrap: {
    why: "the sandbox wall; without it steps run at level process",
    required: false,
    packages: {
      "apt-get": "bubblewrap",
      dnf: "bubblewrap",
      apk: "bubblewrap",
      zypper: "bubblewrap",
      pacman: "bubblewrap",
    },
  },
};
if (mode === "test")
  programs.jq = {
    why: "the independent record verifier in tests",
    required: false,
    packages: { "apt-get": "jq", dnf: "jq", apk: "jq", zypper: "jq", pacman: "jq" },
  };

var installers = {
  "apt-get": ["install", "-y", "--no-install-recommends"],
  dnf: ["install", "-y"],
  apk: ["add"],
  zypper: ["--non-interactive", "install"],
  pacman: ["-S", "--noconfirm"],
};

function packageManager() {
  return Object.keys(installers).filter(has)[0] || null;
}

function needPrograms() {
  var missing = Object.keys(programs).filter(function (name) {
    return !has(name);
  });
  if (missing.length === 0) return;
  var manager = packageManager();
  var names =
    manager === null
      ? missing
      : missing.map(function (name) {
          return programs[name].packages[manager];
        });
  var command = (manager || "apt-get") + " " + installers[manager || "apt-get"].join(" ") + " " + names.join(" ");
  if (manager !== null && typeof process.getuid === "function" && process.getuid() === 0 && agreed(missing, command))
    install(manager, names, command);
  missing
    .filter(function (name) {
      return !has(name);
    })
    .forEach(function (name) {
      if (programs[name].required)
        fail("ORY1002 TOOL_MISSING: " + name + " (" + programs[name].why + ")", "as root: " + command);
      say("  without " + name + ": " + programs[name].why + ". As root: " + command);
    });
  needGitVersion();
}

function agreed(missing, command) {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    say("  installing " + missing.join(", ") + ": " + command);
    return true;
  }
  process.stderr.write("Missing: " + missing.join(", ") + ". Run `" + command + "`? [Y/n] ");
  var buffer = Buffer.alloc(64);
  var read = 0;
  try {
    read = fs.readSync(0, buffer, 0, 64, null);
  } catch (error) {
    return false;
  }
  return !/^n/i.test(buffer.toString("utf8", 0, read).trim());
}

function install(manager, names, command) {
  var env = Object.assign({}, process.env, { DEBIAN_FRONTEND: "noninteractive" });
  if (manager === "apt-get") run("apt-get", ["update"], { env: env });
  var result = run(manager, installers[manager].concat(names), { env: env });
  if (!result.ok) say("  " + command + " failed: " + result.output.trim().split("\n").slice(-2).join(" | "));
}

function needGitVersion() {
  var match = /(\d+)\.(\d+)/.exec(run("git", ["--version"]).output);
  if (match === null) return;
  if (Number(match[1]) > 2 || (Number(match[1]) === 2 && Number(match[2]) >= 34)) return;
  fail("git " + match[0] + " is too old: 2.34 or newer verifies SSH signatures", "install git 2.34 or newer");
}

function filesBelow(dir, out) {
  fs.readdirSync(path.join(root, dir), { withFileTypes: true }).forEach(function (entry) {
    var name = dir + "/" + entry.name;
    if (entry.name === "node_modules") return;
    if (entry.isDirectory()) filesBelow(name, out);
    else if (entry.isFile()) out.push(name);
  });
  return out;
}

function digestOf(files) {
  var hash = crypto.createHash("sha256");
  files.sort().forEach(function (name) {
    hash
      .update(name + "\0")
      .update(fs.readFileSync(path.join(root, name)))
      .update("\0");
  });
  return hash.update(process.versions.node).digest("hex");
}

// A stamp holds the digest of what a step was made from: unchanged input is not done twice.
function once(stamp, files, work) {
  var file = path.join(root, stamp);
  var digest = digestOf(files);
  var known = null;
  try {
    known = fs.readFileSync(file, "utf8");
  } catch (error) {
    known = null;
  }
  if (known === digest) return;
  try {
    fs.unlinkSync(file);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  work();
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, digest);
}

needNode();
needPrograms();
once("node_modules/.orrery-installed", ["package.json", "package-lock.json"], function () {
  // The database's own install script only makes links that the daemon makes itself, so scripts are not needed.
  mustRun("npm ci", "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
});
once(
  "dist/.orrery-built",
  filesBelow("src", []).concat(filesBelow("sandbox", []), filesBelow("scripts", []), filesBelow("schemas", []), [
    "package-lock.json",
    "tsconfig.json",
    "tsconfig.build.json",
  ]),
  function () {
    mustRun("build", "npm", ["run", "--silent", "build"]);
  },
);
if (Date.now() - startedMs > 1000) say("  set up        " + ((Date.now() - startedMs) / 1000).toFixed(1) + " s");
