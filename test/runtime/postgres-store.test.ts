/** What a store in Postgres promises beyond the others: several machines, a database that goes away, holders of threads. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import fc from "fast-check";
import { Client } from "pg";
import { afterAll, describe, expect, test } from "vitest";
import type { LogEntry } from "../../runtime/thread/entry.ts";
import { THREAD_LOG_VERSION } from "../../runtime/thread/entry.ts";
import { PostgresThreadStore } from "../../runtime/thread/postgres-store.ts";
import { MemoryThreadStore } from "../../runtime/thread/store.ts";
import { type Fate, LoopbackProxy } from "../postgres/proxy.ts";
import { startPostgres } from "../postgres/start-postgres.ts";
import { temporaryFolder } from "../tools/support.ts";
import { createAuthority } from "../tools/web/certificates.ts";

const postgres = await startPostgres();
afterAll(() => postgres.stop());
const newStore = async (): Promise<PostgresThreadStore> =>
  PostgresThreadStore.open(await postgres.newDatabase());

const first = (threadId: string): LogEntry => ({
  type: "thread",
  version: THREAD_LOG_VERSION,
  threadId,
  seq: 0,
  at: "2026-01-01T00:00:00.000Z",
});
const titled = (seq: number, title: string): LogEntry => ({
  type: "titled",
  title,
  seq,
  at: `2026-01-01T00:00:${String(seq % 60).padStart(2, "0")}.000Z`,
});

async function execute(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("texts", () => {
  test("of every kind come back as they were, and are found as in memory", async () => {
    await using database = await newStore();
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: "grapheme", maxLength: 40 }),
      // Half of a pair, NUL, signs with a meaning for patterns and queries, a word that is too long for an index.
      fc.constantFrom("a\0b", "\ud800x", "100%_sure\\", "':* | !x", "ß".repeat(3_000), "́"),
    );
    let threads = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 4 }),
        text,
        async (texts, query) => {
          const memory = new MemoryThreadStore();
          const id = `thread_${threads++}`;
          const log = [first(id), ...texts.map((title, at) => titled(at + 1, title))];
          for (const store of [memory, database]) await store.append(id, ...log);
          expect(await database.read(id)).toEqual(JSON.parse(JSON.stringify(log)));
          for (const asked of [query, ...texts.map((part) => part.slice(0, 20))]) {
            const found = async (store: MemoryThreadStore | PostgresThreadStore) =>
              (await store.search(asked)).filter(({ thread }) => thread.threadId === id);
            expect(await found(database), JSON.stringify(asked)).toEqual(await found(memory));
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(await database.list({ prefix: "thread_\0" })).toEqual([]);
    expect(await database.read("\0")).toEqual([]);
    expect(await database.remove("\0")).toBe(false);
  });
});

describe("a database that goes away", () => {
  test.skipIf(!postgres.isOwn)("is waited for, by reads and by writes", async () => {
    await using own = await startPostgres();
    await using store = await PostgresThreadStore.open(own.url);
    await store.append("a", first("a"));
    for (const [at, how] of (["orderly", "immediate", "killed"] as const).entries()) {
      await own.halt(how);
      const written = store.append("a", titled(at + 1, how));
      const read = store.read("b");
      await wait(100);
      await own.resume();
      await written;
      expect(await read).toEqual([]);
    }
    expect((await store.read("a")).map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
  });

  test("is given up after a time, in a sentence without the password", async () => {
    const proxy = await LoopbackProxy.open(await postgres.newDatabase());
    const { url } = proxy;
    await using store = await PostgresThreadStore.open(url, { retryMs: 200 });
    await using patient = await PostgresThreadStore.open(url, { retryMs: 60_000 });
    const { password, host, pathname } = new URL(url);
    await proxy[Symbol.asyncDispose]();
    const failed = await store.append("a", first("a")).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: "CHORALE_THREAD_STORE",
      message: `Cannot write an entry of thread a to ${host}${pathname}: no connection within 0.2 s (connect ECONNREFUSED ${host}).`,
    });
    expect(JSON.stringify(Object.getOwnPropertyDescriptors(failed))).not.toContain(password);
    const waiting = patient.read("a");
    await wait(50);
    await patient.close();
    await expect(waiting).rejects.toThrow(/ECONNREFUSED/);
  });

  test.each<[string, Fate, number]>([
    ["before the database gets the commit", "cut before", 1],
    ["behind the commit, before its answer", "cut behind", 1],
    ["behind the commit, again and again", "cut behind", 3],
  ])("%s: what was to be written is there once", async (_name, fate, times) => {
    await using proxy = await LoopbackProxy.open(await postgres.newDatabase());
    await using store = await PostgresThreadStore.open(proxy.url);
    await store.append("a", first("a"));
    for (const write of [
      () => store.append("a", titled(1, "one"), titled(2, "two")),
      () => store.append("b", first("b")),
      () => store.fenced(1).append("c", first("c")),
      async () => expect(await store.remove("c")).toBe(true),
    ]) {
      let left = times;
      proxy.fateOf = (piece) => (piece.includes("COMMIT\0") && left-- > 0 ? fate : "pass");
      await write();
      expect(left).toBeLessThan(0 + Number(fate === "cut before"));
    }
    expect((await store.read("a")).map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(await store.read("b")).toHaveLength(1);
    expect(await store.read("c")).toEqual([]);
  });

  test("at any moment: nothing is lost or there twice", { timeout: 60_000 }, async () => {
    await using proxy = await LoopbackProxy.open(await postgres.newDatabase());
    await using store = await PostgresThreadStore.open(proxy.url);
    const pieces = fc.array(fc.tuple(fc.nat({ max: 12 }), fc.boolean()), { maxLength: 6 });
    let threads = 0;
    await fc.assert(
      fc.asyncProperty(pieces, async (cuts) => {
        const id = `thread_${threads++}`;
        const left = cuts.map(([count, isBehind]) => ({ count, isBehind }));
        proxy.fateOf = () => {
          const [next] = left;
          if (next === undefined || next.count-- > 0) return "pass";
          left.shift();
          return next.isBehind ? "cut behind" : "cut before";
        };
        await store.append(id, first(id));
        for (let seq = 1; seq < 6; seq++) await store.append(id, titled(seq, `title ${seq}`));
        expect((await store.read(id)).map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5]);
        expect(await store.list({ prefix: id })).toMatchObject([{ entries: 6, title: "title 5" }]);
      }),
      { numRuns: 15 },
    );
  });

  test("does not hide that another run wrote the same", async () => {
    const url = await postgres.newDatabase();
    await using proxy = await LoopbackProxy.open(url);
    await using store = await PostgresThreadStore.open(proxy.url);
    await using other = await PostgresThreadStore.open(url);
    let isCut = false;
    proxy.fateOf = (piece) => {
      if (isCut || !piece.includes("COMMIT\0")) return "pass";
      isCut = true;
      return "cut before";
    };
    const writes = await Promise.allSettled([
      store.append("a", first("a")),
      other.append("a", first("a")),
    ]);
    expect(writes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await other.read("a")).toHaveLength(1);
  });
});

describe("a holder of a thread", () => {
  test("writes until another one has it", async () => {
    await using store = await newStore();
    const [one, two] = [store.fenced(1), store.fenced(2)];
    await one.append("a", first("a"));
    await two.claim("a");
    const refused =
      /^Nothing is written to thread a for its holder 1: another one has taken it over/;
    await expect(one.append("a", titled(1, "late"))).rejects.toThrow(refused);
    await expect(one.claim("a")).rejects.toMatchObject({ code: "CHORALE_THREAD_FENCED" });
    await expect(one.remove("a")).rejects.toThrow(refused);
    await two.claim("a");
    await two.append("a", titled(1, "in time"));
    expect(await one.read("a")).toEqual(await store.read("a"));
    expect(await store.list()).toMatchObject([{ title: "in time" }]);
    // A person's decision about a call is none of a holder's.
    await store.append("a", titled(2, "by hand"));
    expect(await two.remove("a")).toBe(true);
  });

  test("that loses it in the middle of a write has written all or nothing", async () => {
    await using store = await newStore();
    for (let round = 0; round < 20; round++) {
      const id = `thread_${round}`;
      await store.fenced(1).append(id, first(id));
      const [late] = await Promise.allSettled([
        store.fenced(1).append(id, titled(1, "x"), titled(2, "y")),
        store.fenced(2).claim(id),
      ]);
      expect(await store.read(id)).toHaveLength(late.status === "fulfilled" ? 3 : 1);
    }
  });
});

describe("tables", () => {
  test("are made once by several processes that begin at the same time", async () => {
    const url = await postgres.newDatabase();
    const stores = await Promise.all(
      Array.from({ length: 5 }, () => PostgresThreadStore.open(url, { maxConnections: 1 })),
    );
    for (const [at, store] of stores.entries()) {
      await store.append(`thread_${at}`, first(`thread_${at}`));
      await store.close();
    }
    expect(await execute(url, "SELECT version FROM chorale.thread_tables")).toEqual([
      { version: 1 },
    ]);
  });

  test("that are there need no right to make any", async () => {
    const url = await postgres.newDatabase();
    await (await PostgresThreadStore.open(url)).close();
    const name = `reader_${new URL(url).pathname.slice(-8)}`;
    await execute(
      url,
      `CREATE ROLE ${name} LOGIN PASSWORD 'p@ss'; GRANT USAGE ON SCHEMA chorale TO ${name}; ` +
        `GRANT SELECT ON ALL TABLES IN SCHEMA chorale TO ${name}`,
    );
    const reader = new URL(url);
    reader.username = name;
    reader.password = "p%40ss";
    await using store = await PostgresThreadStore.open(reader.href);
    expect(await store.list()).toEqual([]);
    await expect(store.append("a", first("a"))).rejects.toThrow(
      /: permission denied for table threads\.$/,
    );
    await execute(url, `DROP OWNED BY ${name}; DROP ROLE ${name}`);
  });

  test("of a newer version are refused in a sentence", async () => {
    const url = await postgres.newDatabase();
    await (await PostgresThreadStore.open(url)).close();
    await execute(url, "UPDATE chorale.thread_tables SET version = 2");
    await expect(PostgresThreadStore.open(url)).rejects.toThrow(
      /of version 2, .* use a newer one\.$/,
    );
  });
});

test("without the package pg, what is to be installed is said", () => {
  const program = `
    import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        return next(specifier === "pg" ? "pg-that-is-not-installed" : specifier, context);
      },
    });
    const { PostgresThreadStore } = await import(${JSON.stringify(STORE)});
    await PostgresThreadStore.open("postgres://localhost/x").catch((error) => console.log(error.message));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  expect(stdout).toBe(
    "Cannot open the conversations in a database: the package pg, which speaks to Postgres, is not installed; npm install pg@8.\n",
  );
});

const STORE = new URL("../../runtime/thread/postgres-store.ts", import.meta.url).href;

describe("an address", () => {
  test.skipIf(!postgres.isOwn)("with sslmode=verify-full is held to its certificate", async () => {
    const authority = await createAuthority();
    const [right, wrong] = await Promise.all([
      authority.issue("localhost"),
      authority.issue("elsewhere.test"),
    ]);
    const rootFile = join(temporaryFolder(), "root.pem");
    writeFileSync(rootFile, authority.certificate);
    const urlOf = (server: string, root: boolean): string => {
      const url = new URL(server);
      url.hostname = "localhost";
      url.searchParams.set("sslmode", "verify-full");
      if (root) url.searchParams.set("sslrootcert", rootFile);
      return url.href;
    };
    await using impostor = await startPostgres({ tls: wrong });
    await expect(PostgresThreadStore.open(urlOf(impostor.url, true))).rejects.toThrow(
      /does not match certificate's altnames/,
    );
    await using own = await startPostgres({ tls: right });
    await expect(PostgresThreadStore.open(urlOf(own.url, false))).rejects.toThrow(
      /unable to verify the first certificate/,
    );
    const url = urlOf(own.url, true);
    await using store = await PostgresThreadStore.open(url);
    await store.append("a", first("a"));
    expect(await execute(url, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).toEqual([
      { ssl: true },
    ]);
  });

  test.each([
    [
      "nonsense",
      /^Cannot open the conversations in a database: the address of the database is no URL/,
    ],
    ["https://u:secret@host/db", /no URL like postgres:\/\/USER@HOST:5432\/DATABASE/],
    ["postgres://u:sec#ret@host:99999/db", /no URL like/],
  ])("%s is refused without its password", async (url, sentence) => {
    const failed = await PostgresThreadStore.open(url).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "CHORALE_THREAD_STORE" });
    expect(String(failed)).toMatch(new RegExp(sentence.source.replace("^", "ThreadStoreError: ")));
    expect(String(failed)).not.toMatch(/secret|sec#ret/);
  });

  test("whose password or database is wrong is said at once", async () => {
    const url = new URL(postgres.url);
    const wrongDatabase = new URL(url);
    wrongDatabase.pathname = "/nowhere";
    await expect(PostgresThreadStore.open(wrongDatabase.href)).rejects.toThrow(
      `Cannot open the conversations in ${url.host}/nowhere: database "nowhere" does not exist.`,
    );
    url.password = "hunter2";
    const failed = await PostgresThreadStore.open(url.href).catch((error: unknown) => error);
    expect(String(failed)).toContain(`password authentication failed for user "${url.username}".`);
    expect(String(failed)).not.toContain("hunter2");
  });
});
