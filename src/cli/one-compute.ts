import { type Compute, createCompute } from "../compute/index.ts";

/** A compute pool of one thread for the time of `work`. */
export async function withCompute<T>(work: (compute: Compute) => Promise<T>): Promise<T> {
  // A second thread starts longer than a repository of a hundred documents takes.
  const compute = createCompute({ threads: 1 });
  try {
    await compute.start();
    return await work(compute);
  } finally {
    await compute.stop();
  }
}
