import { readFile } from "node:fs/promises";

/** The one command that lets bubblewrap work here, or null where no single one does. */
export async function levelFix(hasBwrap: boolean): Promise<string | null> {
  if (!hasBwrap) return installCommand();
  const switches: readonly (readonly [string, string, string])[] = [
    ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"],
    ["/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"],
    ["/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"],
  ];
  for (const [path, blocking, setting] of switches)
    if ((await textOf(path)).trim() === blocking) return `${sudo()}sysctl -w ${setting}`;
  return null;
}

async function installCommand(): Promise<string | null> {
  const release = await textOf("/etc/os-release");
  const families = /^ID(?:_LIKE)?=.*$/gm;
  const ids = (release.match(families) ?? []).join(" ");
  if (/debian|ubuntu/.test(ids)) return `${sudo()}apt-get install -y bubblewrap`;
  if (/fedora|rhel|centos/.test(ids)) return `${sudo()}dnf install -y bubblewrap`;
  if (ids.includes("alpine")) return `${sudo()}apk add bubblewrap`;
  if (ids.includes("arch")) return `${sudo()}pacman -S --noconfirm bubblewrap`;
  if (ids.includes("suse")) return `${sudo()}zypper install -y bubblewrap`;
  return null;
}

const sudo = (): string => (process.getuid?.() === 0 ? "" : "sudo ");

const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
