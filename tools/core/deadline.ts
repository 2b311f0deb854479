/**
 * The promise's outcome, or an error with `message` once `limitMs` have passed. What the promise stands
 * for goes on: ending it is the caller's to do.
 *
 * @param keepsAlive  whether the wait keeps the program from ending
 */
export async function within<T>(
  limitMs: number,
  message: string,
  promise: Promise<T>,
  keepsAlive = true,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(message)), limitMs);
  if (!keepsAlive) timer.unref();
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
