import { auditArch, decidedCalls, type Machine, refusedCalls } from "./syscalls.ts";

/** One `struct sock_filter` of classic BPF. */
interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export interface SeccompOptions {
  readonly machine: Machine;
  /** With a broker the host may open AF_UNIX sockets; without, none of any family. */
  readonly broker: boolean;
}

const loadWord = 0x20;
const jumpEqual = 0x15;
const jumpGreaterOrEqual = 0x35;
const jumpAnySet = 0x45;
const give = 0x06;

const allow = 0x7fff0000;
const killProcess = 0x80000000;
const errno = (n: number): number => 0x00050000 | n;
const EPERM = 1;
const EACCES = 13;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

// Offsets in struct seccomp_data; both machines are little-endian, so the low word of args[n] comes first.
const offsetNumber = 0;
const offsetArch = 4;
const offsetArgument = (n: number): number => 16 + n * 8;

const CLONE_THREAD = 0x00010000;
// CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET}
const namespaceFlags = 0x7e020080;
const AF_UNIX = 1;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const x32Bit = 0x40000000;

const load = (k: number): Instruction => ({ code: loadWord, jt: 0, jf: 0, k });
const answer = (k: number): Instruction => ({ code: give, jt: 0, jf: 0, k });
const unlessEqual = (k: number, skip: number): Instruction => ({ code: jumpEqual, jt: 0, jf: skip, k });

/**
 * The filter as bytes for `bwrap --seccomp FD`: foreign architecture kills, x32 and the refused calls answer EPERM,
 * `clone` makes threads only, `clone3` is ENOSYS (its flags lie in memory that a filter cannot read; glibc falls back).
 */
export function seccompFilter(options: SeccompOptions): Uint8Array {
  const { machine } = options;
  const calls = decidedCalls[machine];
  const program: Instruction[] = [
    load(offsetArch),
    { code: jumpEqual, jt: 1, jf: 0, k: auditArch[machine] },
    answer(killProcess),
    load(offsetNumber),
    ...(machine === "x64" ? [{ code: jumpGreaterOrEqual, jt: 0, jf: 1, k: x32Bit }, answer(errno(EPERM))] : []),
    ...refusedNumbers(machine).flatMap((number) => [unlessEqual(number, 1), answer(errno(EPERM))]),
    unlessEqual(calls.clone3, 1),
    answer(errno(ENOSYS)),
    ...cloneRule(calls.clone),
    ...socketRule(calls.socket, options.broker),
    ...ioctlRule(calls.ioctl),
    answer(allow),
  ];
  return assemble(program);
}

function refusedNumbers(machine: Machine): number[] {
  const numbers = refusedCalls.map((row) => (machine === "x64" ? row[1] : row[2]));
  return numbers.filter((number) => number !== null);
}

/** Threads of this process only: no child, no namespace. */
function cloneRule(clone: number): Instruction[] {
  return [
    unlessEqual(clone, 5),
    load(offsetArgument(0)),
    { code: jumpAnySet, jt: 0, jf: 2, k: CLONE_THREAD },
    { code: jumpAnySet, jt: 1, jf: 0, k: namespaceFlags },
    answer(allow),
    answer(errno(EPERM)),
  ];
}

// A network namespace alone leaves AF_VSOCK, the channel to the hypervisor, open: families are an allow-list.
function socketRule(socket: number, broker: boolean): Instruction[] {
  if (!broker) return [unlessEqual(socket, 1), answer(errno(EACCES))];
  return [
    unlessEqual(socket, 4),
    load(offsetArgument(0)),
    unlessEqual(AF_UNIX, 1),
    answer(allow),
    answer(errno(EAFNOSUPPORT)),
  ];
}

/** Typing into the terminal that the daemon was started from (CVE-2017-5226). */
function ioctlRule(ioctl: number): Instruction[] {
  return [
    unlessEqual(ioctl, 5),
    load(offsetArgument(1)),
    unlessEqual(TIOCSTI, 1),
    answer(errno(EPERM)),
    unlessEqual(TIOCLINUX, 1),
    answer(errno(EPERM)),
  ];
}

function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach((instruction, i) => {
    view.setUint16(i * 8, instruction.code, true);
    view.setUint8(i * 8 + 2, instruction.jt);
    view.setUint8(i * 8 + 3, instruction.jf);
    view.setUint32(i * 8 + 4, instruction.k, true);
  });
  return bytes;
}
