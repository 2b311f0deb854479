import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ENDED,
  JOB_STATES,
  type JobEvent,
  type JobState,
  nextState,
  statesBefore,
} from "../../../runtime/jobs/states.ts";

const EVENTS: readonly JobEvent[] = [
  ...(["claim", "complete", "fail", "requeue", "cancel", "reduce", "retry", "reopen"] as const),
];

test("what has ended goes on only when it is asked for, and every state can end", () => {
  const event = fc.constantFrom(...EVENTS);
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let state: JobState = "queued";
      for (const one of events) {
        const next = nextState(state, one);
        expect(statesBefore(one).includes(state)).toBe(next !== null);
        if (ENDED.includes(state) && next !== null) expect(["retry", "reopen"]).toContain(one);
        state = next ?? state;
        expect(JOB_STATES).toContain(state);
      }
    }),
  );
  for (const state of JOB_STATES) {
    if (!ENDED.includes(state)) expect(nextState(state, "cancel")).toBe("cancelled");
  }
  // An answer stays: only its batch is opened again.
  expect(nextState("completed", "retry")).toBeNull();
});
