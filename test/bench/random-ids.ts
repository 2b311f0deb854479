/** Ids of a linear congruential generator (Numerical Recipes' constants): the same for every engine. */
export function randomIds(count: number, vocabSize: number, seed: number): number[] {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * vocabSize);
  });
}
