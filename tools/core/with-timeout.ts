/**
 * The promise's outcome, or an error with `message` once `limitMs` have passed. The work behind the
 * promise goes on; the caller ends it.
 *
 * @param keepsAlive  whether the wait keeps the program from ending
 */
export async function withTimeout<T>(
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
