import { type Compute, createCompute } from "../compute/index.ts";

/** A compute pool for the time of `work`; more than one thread pays off from some hundred documents on. */
export async function withCompute<T>(work: (compute: Compute) => Promise<T>, threads = 1): Promise<T> {
  const compute = createCompute({ threads });
  try {
    await compute.start();
    return await work(compute);
  } finally {
    await compute.stop();
  }
}
