/** What Orrery reads of the process environment, in one place (DESIGN.md section 12). */
export interface Environment {
  readonly path: string;
  readonly home: string | null;
  readonly sshAuthSock: string | null;
  readonly stateHome: string | null;
  readonly runtimeDir: string | null;
  /** Where the service manager puts credentials (systemd: $CREDENTIALS_DIRECTORY). */
  readonly credentialsDir: string | null;
  /** ORRERY_* and DATABASE_URL. */
  readonly settings: Readonly<Record<string, string>>;
  readonly noColor: boolean;
  /** What git tells its hooks: where the index is, and where objects are that no ref reaches yet. */
  readonly gitHook: GitHookEnvironment;
}

export interface GitHookEnvironment {
  /** GIT_DIR and GIT_INDEX_FILE, for git processes that a hook starts. */
  readonly pass: Readonly<Record<string, string>>;
  /** GIT_OBJECT_DIRECTORY and GIT_ALTERNATE_OBJECT_DIRECTORIES. */
  readonly objectDirectories: readonly string[];
}

export function readEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const settings = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (entry[0].startsWith("ORRERY_") || entry[0] === "DATABASE_URL"),
  );
  return {
    path: env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    home: present(env["HOME"]),
    sshAuthSock: present(env["SSH_AUTH_SOCK"]),
    stateHome: present(env["XDG_STATE_HOME"]),
    runtimeDir: present(env["XDG_RUNTIME_DIR"]),
    credentialsDir: present(env["CREDENTIALS_DIRECTORY"]),
    settings: Object.fromEntries(settings),
    noColor: present(env["NO_COLOR"]) !== null,
    gitHook: gitHookOf(env),
  };
}

function gitHookOf(env: Readonly<Record<string, string | undefined>>): GitHookEnvironment {
  const pass = ["GIT_DIR", "GIT_INDEX_FILE"].flatMap((name) => {
    const value = present(env[name]);
    return value === null ? [] : [[name, value] as const];
  });
  const directories = [env["GIT_OBJECT_DIRECTORY"], ...(env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] ?? "").split(":")];
  return {
    pass: Object.fromEntries(pass),
    objectDirectories: directories.filter((directory): directory is string => present(directory) !== null),
  };
}

function present(value: string | undefined): string | null {
  return value === undefined || value === "" ? null : value;
}
