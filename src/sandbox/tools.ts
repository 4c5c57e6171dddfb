import { constants } from "node:fs";
import { access } from "node:fs/promises";
import type { Tools } from "./host-argv.ts";

const directories = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"];

/** The system's tools by fixed directories: PATH is not asked, since what it finds would run as root. */
export async function findTools(): Promise<Tools | null> {
  const [bwrap, prlimit, setpriv] = await Promise.all([find("bwrap"), find("prlimit"), find("setpriv")]);
  return prlimit === null ? null : { bwrap, prlimit, setpriv };
}

async function find(name: string): Promise<string | null> {
  for (const directory of directories) {
    const path = `${directory}/${name}`;
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}
