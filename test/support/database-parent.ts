// A daemon that only holds a database open: opens it, says so as one JSON line, and closes it when its stdin ends.
import { systemClock } from "../../src/base/index.ts";
import { openDatabase } from "../../src/database/index.ts";
import { silentLog } from "./silent-log.ts";

const [dataDir = "", runDir = ""] = process.argv.slice(2);
const lines: string[] = [];
const log = { ...silentLog, info: (_: object, message: string) => void lines.push(message) };
const database = await openDatabase({ url: null, dataDir, runDir }, { log, clock: systemClock });
process.stdout.write(`${JSON.stringify({ log: lines })}\n`);
process.stdin.resume();
process.stdin.on("end", () => void database.close());
