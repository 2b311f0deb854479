/** Pauses between requests, and further attempts. Time is the test's own. */
import { describe, expect, test } from "vitest";
import type { WebClientOptions } from "../../../tools/net/index.ts";
import { backoff, parseRetryAfter } from "../../../tools/net/web/retry.ts";
import { codeOf, openTestClient, type Routes, serve, text } from "./loopback.ts";

const named = { purpose: "named by the user" } as const;
const crawl = { purpose: "crawl" } as const;
const HOUR = 3_600_000;

/** A clock that stands still but for what is slept. */
function testClock(): {
  readonly clock: NonNullable<WebClientOptions["clock"]>;
  readonly slept: number[];
} {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const slept: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    slept.push(Math.round(ms));
    now += ms;
  };
  return { clock: { now: () => now, sleep }, slept };
}

/** Answers with each status once, then with 200. */
const inTurn = (...answers: readonly (readonly [number, Record<string, string>?])[]): Routes => {
  const left = [...answers];
  return {
    "/": (_, response) => {
      const [status, headers = {}] = left.shift() ?? [200];
      response.writeHead(status, headers).end(`status ${status}`);
    },
  };
};

describe("Retry-After", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  test.each([
    ["0", 0],
    ["120", 120_000],
    [" 5 ", 5000],
    ["99999999999999999999", HOUR],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Thursday, 01-Jan-26 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 23:00:00 GMT", 0],
    ["Fri, 01 Jan 2126 00:00:00 GMT", HOUR],
    ["-5", null],
    ["1.5", null],
    ["soon", null],
    ["2026-01-01", null],
    ["Thu, 99 Jan 2026", null],
    ["", null],
    [null, null],
  ])("%j is %j ms", (header, ms) => {
    expect(parseRetryAfter(header, now)).toBe(ms);
  });
});

test("each pause is twice as long as the one before, give or take", () => {
  expect([1, 2, 3].map((attempt) => backoff(attempt, 500, 1))).toEqual([500, 1000, 2000]);
  expect([1, 2, 3].map((attempt) => backoff(attempt, 500, 0))).toEqual([250, 500, 1000]);
});

describe("a server that says to come back", () => {
  test("is asked again when it said", async () => {
    const site = await serve(inTurn([429, { "retry-after": "7" }], [503, { "retry-after": "3" }]));
    const { clock, slept } = testClock();
    const page = await openTestClient([site.port], { clock }).get(site.at("/"), named);
    expect([text(page.bytes), site.asked.length, slept]).toEqual(["status 200", 3, [7000, 3000]]);
  });

  test("on a date, too", async () => {
    const date = "Thu, 01 Jan 2026 00:00:09 GMT";
    const site = await serve(inTurn([503, { "retry-after": date }]));
    const { clock, slept } = testClock();
    await openTestClient([site.port], { clock }).get(site.at("/"), named);
    expect(slept).toEqual([9000]);
  });

  test("or soon, where it does not say when", async () => {
    const site = await serve(inTurn([429], [503, { "retry-after": "soon" }]));
    const { clock, slept } = testClock();
    expect((await openTestClient([site.port], { clock }).get(site.at("/"), named)).status).toBe(
      200,
    );
    const [first = 0, second = 0] = slept;
    expect([first >= 250 && first <= 500, second >= 500 && second <= 1000]).toEqual([true, true]);
  });

  test("is not asked for ever", async () => {
    const site = await serve(inTurn([503], [503], [503], [503]));
    const { clock } = testClock();
    const page = await openTestClient([site.port], { clock }).get(site.at("/"), named);
    expect([page.status, text(page.bytes), site.asked.length]).toEqual([503, "status 503", 3]);
  });

  test("in a year is left alone for now, also by the next request", async () => {
    const site = await serve(inTurn([429, { "retry-after": "31536000" }]));
    const { clock, slept } = testClock();
    const client = openTestClient([site.port], { clock });
    expect((await client.get(site.at("/"), named)).status).toBe(429);
    await expect(client.get(site.at("/other"), named)).rejects.toThrow(
      `site.test:${site.port} was not asked: it may be asked again in 3600 s.`,
    );
    expect([site.asked, slept]).toEqual([["/"], []]);
  });
});

describe("a connection that ends", () => {
  const broken = (times: number): Routes => {
    let left = times;
    return {
      "/": (request, response) => {
        if (left-- > 0) request.socket.destroy();
        else response.end("whole");
      },
      "/middle": (request, response) => {
        response.writeHead(200, { "content-length": 5 });
        if (left-- > 0) response.write("wh", () => request.socket.destroy());
        else response.end("whole");
      },
    };
  };

  test.each(["/", "/middle"])("at %s is tried again", async (path) => {
    const site = await serve(broken(2));
    const { clock } = testClock();
    const page = await openTestClient([site.port], { clock }).get(site.at(path), named);
    expect([text(page.bytes), site.asked.length]).toEqual(["whole", 3]);
  });

  test("three times", async () => {
    const site = await serve(broken(9));
    const { clock } = testClock();
    const client = openTestClient([site.port], { clock });
    expect(await codeOf(client.get(site.at("/"), named))).toBe("CHORALE_NET_UNREACHABLE");
    expect(await codeOf(client.get(site.at("/middle"), named))).toBe("CHORALE_NET_INCOMPLETE");
    expect(site.asked.length).toBe(6);
  });

  test("is not tried again where a body was sent, which may have been read", async () => {
    const site = await serve(broken(1));
    const { clock } = testClock();
    const client = openTestClient([site.port], { clock });
    expect(await codeOf(client.post(site.at("/"), "x", named))).toBe("CHORALE_NET_UNREACHABLE");
    expect(site.asked.length).toBe(1);
  });
});

describe("requests to one host", () => {
  const anything: Routes = Object.fromEntries(
    ["/1", "/2", "/3"].map((path) => [path, (_request, response) => response.end(path)]),
  );

  test("are spaced, and more so where a program follows links", async () => {
    const site = await serve(anything);
    const intervalMs = { crawl: 1000, "named by the user": 200 };
    const { clock, slept } = testClock();
    const client = openTestClient([site.port], { clock, intervalMs });
    for (const path of ["/1", "/2", "/3"]) await client.get(site.at(path), named);
    expect(slept).toEqual([200, 200]);
    slept.length = 0;
    const other = (path: string): string => `http://other.test:${site.port}${path}`;
    await Promise.all(["/1", "/2", "/3"].map((path) => client.get(other(path), crawl)));
    // robots.txt was read first, as one the user would have named.
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(2000);
  });

  test("wait as long as robots.txt says", async () => {
    const site = await serve({
      ...anything,
      "/robots.txt": (_, response) => response.end("User-agent: *\nCrawl-delay: 12"),
    });
    const { clock, slept } = testClock();
    const client = openTestClient([site.port], { clock });
    for (const path of ["/1", "/2"]) await client.get(site.at(path), crawl);
    expect(slept).toEqual([12_000]);
  });

  test("fail at once where that is longer than they may take", async () => {
    const site = await serve({
      ...anything,
      "/robots.txt": (_, response) => response.end("User-agent: *\nCrawl-delay: 86400"),
    });
    const { clock } = testClock();
    const client = openTestClient([site.port], { clock });
    await client.get(site.at("/1"), crawl);
    expect(await codeOf(client.get(site.at("/2"), crawl))).toBe("CHORALE_NET_RATE");
    expect(site.asked).toEqual(["/robots.txt", "/1"]);
  });
});
