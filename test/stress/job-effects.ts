/** What the tools of jobs leave behind: a file that outlives the workers, in which each execution of a call is counted. */
import { DatabaseSync } from "node:sqlite";

const BUSY_MS = 30_000;

export class JobEffects implements Disposable {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: BUSY_MS });
    this.#database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; " +
        "CREATE TABLE IF NOT EXISTS executions (key TEXT NOT NULL, job INTEGER NOT NULL); " +
        "CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, job INTEGER NOT NULL)",
    );
  }

  /**
   * One execution of a call, and its effect.
   * @param isKeyed the effect is made once for a key; else each execution makes one
   */
  add(key: string, job: number, isKeyed: boolean): void {
    this.#database.exec("BEGIN IMMEDIATE");
    this.#database.prepare("INSERT INTO executions VALUES (?, ?)").run(key, job);
    const insert = isKeyed ? "INSERT OR IGNORE" : "INSERT";
    this.#database.prepare(`${insert} INTO effects VALUES (?, ?)`).run(key, job);
    this.#database.exec("COMMIT");
  }

  /** How often each key was executed. */
  executions(): ReadonlyMap<string, number> {
    const rows = this.#database
      .prepare("SELECT key, count(*) AS n FROM executions GROUP BY key")
      .all();
    return new Map(rows.map((row) => [String(row["key"]), Number(row["n"])]));
  }

  /** How many effects each job has. */
  effects(): ReadonlyMap<number, number> {
    const rows = this.#database
      .prepare("SELECT job, count(*) AS n FROM effects GROUP BY job")
      .all();
    return new Map(rows.map((row) => [Number(row["job"]), Number(row["n"])]));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
