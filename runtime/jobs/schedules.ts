/** Jobs that are made at certain times: a cron expression in a time zone, and what is to be submitted. */
import { messageOf, UsageError } from "../errors.ts";
import { type Database, jsonOf, type Row } from "./database.ts";
import { JobsError } from "./errors.ts";
import type { JobSubmission } from "./job.ts";
import type { Queue } from "./queue.ts";
import { newJob } from "./submit.ts";

export type JobSchedule = {
  readonly name: string;
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  /** A name of the IANA database, like Europe/Berlin. */
  readonly tz: string;
  readonly title: string;
  /** ISO 8601, UTC; null where there is none. */
  readonly nextAt: string | null;
};

/** A job that is made again and again has no start of its own and no key. */
export type ScheduledJob = Omit<JobSubmission, "startAfter" | "key">;

/** The schedules of a database. */
export type JobSchedules = {
  /**
   * Adds a schedule, in the place of one with its name.
   * @returns its next times
   * @throws UsageError for a name, an expression, a time zone or a job that is none
   */
  add(
    name: string,
    what: { readonly cron: string; readonly tz: string; readonly job: ScheduledJob },
  ): Promise<readonly Date[]>;
  /** In the order of their names. */
  list(): Promise<readonly JobSchedule[]>;
  /** @throws JobsError where there is none with this name */
  remove(name: string): Promise<void>;
};

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

export class Schedules implements JobSchedules {
  readonly #database: Database;
  readonly #queue: Queue;

  constructor(database: Database, queue: Queue) {
    this.#database = database;
    this.#queue = queue;
  }

  async add(
    name: string,
    { cron, tz, job }: { readonly cron: string; readonly tz: string; readonly job: ScheduledJob },
  ): Promise<readonly Date[]> {
    if (!NAME.test(name)) {
      throw new UsageError(
        `The schedule is named ${JSON.stringify(name)}; accepted: 1 to 64 letters, digits, dots, dashes and underscores.`,
        { option: "name" },
      );
    }
    newJob(job, name);
    const times = this.#times(cron, tz, 3);
    await this.#database.transaction(async (sql) => {
      await sql.query(
        `INSERT INTO chorale.job_schedules (name, cron, tz, submission) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET cron = $2, tz = $3, submission = $4`,
        [name, cron, tz, jsonOf(job)],
      );
      await this.#queue.schedule(sql, name, cron, tz);
    });
    return times;
  }

  async list(): Promise<readonly JobSchedule[]> {
    const rows = await this.#database.query("SELECT * FROM chorale.job_schedules ORDER BY name");
    return rows.map((row) => this.#scheduleOf(row));
  }

  async remove(name: string): Promise<void> {
    await this.#database.transaction(async (sql) => {
      const [row] = await sql.query(
        "DELETE FROM chorale.job_schedules WHERE name = $1 RETURNING name",
        [name],
      );
      if (row === undefined) {
        throw new JobsError(
          "CHORALE_JOB_NOT_FOUND",
          `There is no schedule ${name}; chorale jobs schedule list names them.`,
        );
      }
      await this.#queue.unschedule(sql, name);
    });
  }

  #scheduleOf(row: Row): JobSchedule {
    const [cron, tz] = [String(row["cron"]), String(row["tz"])];
    const submission = row["submission"] as ScheduledJob;
    return {
      name: String(row["name"]),
      cron,
      tz,
      title: submission.prompt ?? "(messages)",
      nextAt: this.#times(cron, tz, 1)[0]?.toISOString() ?? null,
    };
  }

  /** @throws UsageError */
  #times(cron: string, tz: string, count: number): readonly Date[] {
    try {
      return this.#queue.nextTimes(cron, tz, count);
    } catch (error) {
      throw new UsageError(
        `The schedule ${JSON.stringify(cron)} in ${tz} cannot be used: ${messageOf(error)}. Accepted: five fields like ` +
          '"0 7 * * 1-5", and a time zone like Europe/Berlin.',
        { option: "cron" },
      );
    }
  }
}
