import { Fault, faultOf } from "../../base/index.ts";
import type { WorkerSeam } from "../../store/index.ts";

/** The seam, telling `onFenced` of a lost lease before anybody who called learns of it. */
export function watchFence(seam: WorkerSeam, onFenced: (fault: Fault) => void): WorkerSeam {
  const watched = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      const fault = faultOf(error);
      if (fault.code === "WORKER_FENCED") onFenced(fault);
      throw error;
    }
  };
  return {
    claim: (max) => watched(() => seam.claim(max)),
    heartbeat: () => watched(() => seam.heartbeat()),
    report: (outcomes) => watched(() => seam.report(outcomes)),
    begin: (marks) => watched(() => seam.begin(marks)),
    settle: (settlements) => watched(() => seam.settle(settlements)),
    release: (runs) => watched(() => seam.release(runs)),
  };
}

/** What a worker says of itself that could not reach the store for as long as a lease lives. */
export const leaseExpired = (): Fault =>
  new Fault("WORKER_FENCED", "no heartbeat was possible for the time of a lease");
