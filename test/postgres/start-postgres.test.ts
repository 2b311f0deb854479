/** The Postgres that other tests stand on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { type Halt, startPostgres } from "./start-postgres.ts";

async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe.skipIf(process.env["CHORALE_TEST_POSTGRES"]?.startsWith("postgres"))("a server", () => {
  test("keeps what was committed over every way to halt it", async () => {
    await using postgres = await startPostgres();
    const url = await postgres.newDatabase();
    await rows(url, "CREATE TABLE seen (how text)");
    for (const how of ["orderly", "immediate", "killed"] satisfies Halt[]) {
      await rows(url, `INSERT INTO seen VALUES ('${how}')`);
      await postgres.halt(how);
      await expect(rows(url, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
      await postgres.resume();
    }
    expect(await rows(url, "SELECT how FROM seen")).toHaveLength(3);
  });

  test("is gone with its folder when the test's process is killed", async () => {
    const program = `
      import { startPostgres } from ${JSON.stringify(new URL("./start-postgres.ts", import.meta.url).href)};
      import { Client } from "pg";
      const postgres = await startPostgres();
      const client = new Client({ connectionString: postgres.url });
      await client.connect();
      const { rows } = await client.query("SHOW data_directory");
      console.log(JSON.stringify({ url: postgres.url, folder: rows[0].data_directory }));
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: new URL("../../", import.meta.url),
    });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const { url, folder } = JSON.parse(line) as { url: string; folder: string };
    expect(existsSync(folder)).toBe(true);
    child.kill("SIGKILL");
    while (existsSync(folder)) await wait(20);
    await expect(rows(url, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  });
});

test("databases are apart", async () => {
  await using postgres = await startPostgres();
  const [one, two] = [await postgres.newDatabase(), await postgres.newDatabase()];
  await rows(one, "CREATE TABLE here ()");
  await expect(rows(two, "SELECT * FROM here")).rejects.toThrow('relation "here" does not exist');
});
