/**
 * The promise's outcome, or an error with `message` once `limitMs` have passed. What the promise stands
 * for goes on: ending it is the caller's to do.
 */
export async function within<T>(limitMs: number, message: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(message)), limitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
