/** The clock of a turn: it stops what is at work, and stands still while a person decides. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BudgetStop, TimeBudget } from "../../runtime/agent/time-budget.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => void vi.useRealTimers());

const never = new AbortController().signal;

test("comes near its end, then stops what is at work with the name of the budget", () => {
  const time = new TimeBudget(never, 10, 0);
  vi.advanceTimersByTime(7_900);
  expect([time.isNear, time.isUsedUp, time.signal.aborted]).toEqual([false, false, false]);
  vi.advanceTimersByTime(200);
  expect([time.isNear, time.isUsedUp]).toEqual([true, false]);
  vi.advanceTimersByTime(2_000);
  expect(time.isUsedUp).toBe(true);
  expect(time.signal.reason).toBeInstanceOf(BudgetStop);
  expect(time.signal.reason).toMatchObject({ budget: "seconds", name: "AbortError" });
});

test("goes on from what earlier runs of the turn took", () => {
  const time = new TimeBudget(never, 10, 9_000);
  expect(time.isNear).toBe(true);
  vi.advanceTimersByTime(1_000);
  expect(time.isUsedUp).toBe(true);
  expect(new TimeBudget(never, 10, 12_000).isUsedUp).toBe(true);
});

test("stands still while a person decides", async () => {
  const time = new TimeBudget(never, 10, 0);
  vi.advanceTimersByTime(4_000);
  await time.pausedFor(async () => {
    vi.advanceTimersByTime(60_000);
  });
  expect([time.isUsedUp, time.usedSeconds]).toEqual([false, 4]);
  await expect(time.pausedFor(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  vi.advanceTimersByTime(6_000);
  expect(time.signal.aborted).toBe(true);
});

test("without a limit it is the signal of the run; closed, it leaves no timer", () => {
  const stop = new AbortController();
  expect(new TimeBudget(stop.signal, null, 0).signal).toBe(stop.signal);
  const time = new TimeBudget(stop.signal, 10, 0);
  time.close();
  expect(vi.getTimerCount()).toBe(0);
  stop.abort("over");
  expect(time.signal.reason).toBe("over");
});
