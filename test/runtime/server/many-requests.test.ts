/** A part of `npm run stress -- requests` and `-- load`. */
import { expect, test } from "vitest";
import { mutatedRequests } from "../../stress/mutated-requests.ts";
import { serverLoad } from "../../stress/server-load.ts";

test("no changed request makes code of the server fail", { timeout: 120_000 }, async () => {
  const { problems, statuses } = await mutatedRequests({ count: 2000, seed: 2 });
  expect(problems).toEqual([]);
  expect(statuses["200"]).toBeGreaterThan(100);
  expect(statuses["400"]).toBeGreaterThan(100);
});

test.each(["scripted", "embedded"] as const)(
  "clients that come together, leave, and read slowly get their own tokens from the %s model",
  { timeout: 120_000 },
  async (model) => {
    const { problems, held, whole } = await serverLoad({ clients: 16, each: 8, seed: 3, model });
    expect(problems).toEqual([]);
    expect(held).toEqual({ running: 0, waiting: 0, users: 0, connections: 0 });
    expect(whole).toBeGreaterThan(50);
  },
);
