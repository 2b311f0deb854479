import {
  type Command,
  type CommandGroup,
  defineCommand,
  optional,
  required,
  rest,
  subcommand,
} from "../command/command.ts";
import { colorFlag, reportFlag } from "../flags.ts";
import { exclusiveAnswers, runFlags, runSettings } from "./run.ts";

const ID = required("The job; the beginning of its id is enough");

const databaseFlag = {
  database: {
    type: "text",
    placeholder: "URL",
    describe:
      "Postgres with the jobs: postgres://USER@HOST:PORT/DATABASE; the password from PGPASSWORD or ~/.pgpass",
  },
} as const;

/** Of commands that only look at jobs or change them. */
const settings = { ...databaseFlag, ...colorFlag } as const;

const STATES = ["queued", "active", "waiting", "completed", "failed", "cancelled"] as const;

/** How a job waits and is tried. */
const placementFlags = {
  tag: {
    type: "text",
    placeholder: "TAG",
    list: true,
    describe:
      "A name to find it by; the first one is the line in which it waits, and a worker can take from some lines alone",
  },
  priority: {
    type: "integer",
    placeholder: "N",
    min: -1_000_000,
    max: 1_000_000,
    describe: "Before all jobs with a lower one (default: 0)",
  },
  parallel: {
    type: "integer",
    placeholder: "N",
    min: 1,
    max: 256,
    describe:
      "Begin it only while fewer than N jobs of its line are at work, on all workers; for a batch without a tag, of the batch",
  },
  attempts: {
    type: "integer",
    placeholder: "N",
    min: 1,
    max: 100,
    describe:
      "How often it is tried where that can help: an engine or a worker is gone (default: 5)",
  },
  "retry-delay": {
    type: "duration",
    placeholder: "TIME",
    describe:
      "Before the second attempt; doubles with each further one, up to an hour (default: 5s)",
  },
  timeout: {
    type: "duration",
    placeholder: "TIME",
    describe: "Most time for one attempt, like 90s or 5m (default: a day)",
  },
} as const;

const submit: Command = defineCommand({
  positionals: { prompt: optional("The question; - reads stdin") },
  flags: {
    attach: runFlags.attach,
    batch: {
      type: "text",
      placeholder: "FILE",
      completes: "file",
      describe: "Many jobs, one on each line as in chorale batch; - reads stdin",
    },
    reduce: {
      type: "text",
      placeholder: "PROMPT",
      describe: "With --batch: asked about all answers when the last job has ended",
    },
    ...placementFlags,
    delay: {
      type: "duration",
      placeholder: "TIME",
      describe: "Not before this time has passed, like 10m or 2h",
    },
    at: {
      type: "text",
      placeholder: "TIME",
      describe:
        "Not before this moment, like 2027-01-31T06:00Z; without a zone in that of this machine",
    },
    key: {
      type: "text",
      placeholder: "KEY",
      describe: "Make it once: while a job with this key is kept, its id is printed instead",
    },
    ...reportFlag,
  },
  settings: { ...runSettings, ...databaseFlag },
  exclusive: [...exclusiveAnswers, ["delay", "at"]],
  examples: [
    ['jobs submit "Summarise the news" --web --tag news', "Prints its id"],
    ["jobs submit --batch prompts.jsonl --parallel 4", "A job for each line, four at once"],
    [
      'jobs submit --batch reviews.jsonl --reduce "What do these reviews agree on?"',
      "And one behind all of them",
    ],
  ],
  run: async (args, context) =>
    (await import("../jobs/submit.ts")).submitCommand(
      { ...args, agent: args, model: args },
      context,
    ),
});

const worker: Command = defineCommand({
  flags: {
    concurrency: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 256,
      describe: "Jobs at work at once (default: 1)",
    },
    tag: {
      type: "text",
      placeholder: "TAG",
      list: true,
      describe: "Take only jobs whose first tag is one of these (default: all jobs)",
    },
    once: { type: "switch", describe: "End when there is nothing to do now" },
    json: { type: "switch", describe: "Print what happens as lines of JSON on stdout" },
  },
  settings: { ...runSettings, ...databaseFlag },
  exclusive: exclusiveAnswers,
  examples: [
    ["jobs worker --model gpt-oss:20b --concurrency 4", "For jobs that name no model"],
    ["jobs worker --tag gpu", "Only what was submitted with --tag gpu first"],
  ],
  run: async (args, context) =>
    (await import("../jobs/worker.ts")).workerCommand(
      { ...args, agent: args, model: args },
      context,
    ),
});

const schedule: CommandGroup = {
  commands: {
    add: subcommand(
      "Submit a job again and again; takes what submit takes",
      defineCommand({
        positionals: {
          name: required("Its name; one with this name is replaced"),
          cron: required(
            'Five fields, like "0 7 * * 1-5": minute, hour, day, month, day of the week',
          ),
          prompt: optional("The question; - reads stdin"),
        },
        flags: {
          tz: {
            type: "text",
            placeholder: "ZONE",
            describe: "Time zone, like Europe/Berlin (default: that of this machine)",
          },
          attach: runFlags.attach,
          ...placementFlags,
          ...reportFlag,
        },
        settings: { ...runSettings, ...databaseFlag },
        exclusive: exclusiveAnswers,
        examples: [
          [
            'jobs schedule add news "0 7 * * 1-5" --tz Europe/Berlin --web "What is new?"',
            "Every working day at seven; a time that no worker saw is made up for once",
          ],
        ],
        run: async (args, context) =>
          (await import("../jobs/schedule.ts")).addCommand(
            { ...args, agent: args, model: args },
            context,
          ),
      }),
    ),
    list: subcommand(
      "List the schedules, with their next times",
      defineCommand({
        flags: reportFlag,
        settings,
        examples: [["jobs schedule list", "In the order of their names"]],
        run: async (args, context) =>
          (await import("../jobs/schedule.ts")).listCommand(args, context),
      }),
    ),
    rm: subcommand(
      "Remove a schedule; its jobs stay",
      defineCommand({
        positionals: { name: required("The schedule") },
        flags: reportFlag,
        settings,
        examples: [["jobs schedule rm news", "No further jobs are made"]],
        run: async (args, context) =>
          (await import("../jobs/schedule.ts")).removeCommand(args, context),
      }),
    ),
  },
  examples: [["jobs schedule list", "What is submitted by itself"]],
};

export const command: CommandGroup = {
  commands: {
    submit: { describe: "Submit a job, or a batch of jobs", load: () => Promise.resolve(submit) },
    list: subcommand(
      "List jobs, the newest first",
      defineCommand({
        flags: {
          state: {
            type: "names",
            placeholder: "A,B",
            describe: `Only in these states: ${STATES.join(", ")}`,
          },
          tag: {
            type: "text",
            placeholder: "TAG",
            list: true,
            describe: "Only with one of these tags",
          },
          parent: { type: "text", placeholder: "ID", describe: "Only the jobs of a batch" },
          since: {
            type: "duration",
            placeholder: "TIME",
            describe: "Only those submitted in this time, like 2h or 7d",
          },
          after: {
            type: "text",
            placeholder: "ID",
            describe: "Those older than this one: the next page",
          },
          limit: {
            type: "integer",
            placeholder: "N",
            min: 1,
            max: 100_000,
            describe: "Most jobs (default: 20)",
          },
          ...reportFlag,
        },
        settings,
        examples: [["jobs list --state failed --since 1d", "What went wrong today"]],
        run: async (args, context) => (await import("../jobs/list.ts")).listCommand(args, context),
      }),
    ),
    show: subcommand(
      "Show a job: its state, its answer, and what went wrong",
      defineCommand({
        positionals: { id: ID },
        flags: reportFlag,
        settings,
        examples: [["jobs show 1f3a", "With the beginning of its id"]],
        run: async (args, context) => (await import("../jobs/show.ts")).showCommand(args, context),
      }),
    ),
    logs: subcommand(
      "Show what happens in a job",
      defineCommand({
        positionals: { id: ID },
        flags: {
          follow: { type: "switch", describe: "Go on until the job has ended" },
          json: { type: "switch", describe: "Print events as chorale run --json does" },
        },
        settings,
        examples: [["jobs logs 1f3a --follow", "While it is at work"]],
        run: async (args, context) => (await import("../jobs/logs.ts")).logsCommand(args, context),
      }),
    ),
    cancel: subcommand(
      "Cancel jobs, and batches with all their jobs",
      defineCommand({
        positionals: { ids: rest("The jobs") },
        flags: reportFlag,
        settings,
        examples: [["jobs cancel 1f3a 77b0", "One that is at work ends within seconds"]],
        run: async (args, context) =>
          (await import("../jobs/change.ts")).cancelCommand(args, context),
      }),
    ),
    retry: subcommand(
      "Try jobs again that failed or were cancelled; of a batch, those of its jobs",
      defineCommand({
        positionals: { ids: rest("The jobs") },
        flags: {
          "from-start": {
            type: "switch",
            describe: "In a new conversation (default: the old one goes on)",
          },
          ...reportFlag,
        },
        settings,
        examples: [["jobs retry 1f3a", "It knows what it did before"]],
        run: async (args, context) =>
          (await import("../jobs/change.ts")).retryCommand(args, context),
      }),
    ),
    worker: {
      describe: "Work on jobs until Ctrl-C or SIGTERM",
      load: () => Promise.resolve(worker),
    },
    schedule: {
      describe: "Submit jobs at certain times",
      load: () => Promise.resolve(schedule),
    },
    purge: subcommand(
      "Remove jobs that have ended, with their conversations and artifacts",
      defineCommand({
        flags: {
          "older-than": {
            type: "text",
            placeholder: "TIME",
            describe: "That ended longer ago, like 30d (default: 30d)",
          },
          state: {
            type: "names",
            placeholder: "A,B",
            describe: "Only these: completed, failed, cancelled (default: all of them)",
          },
          ...reportFlag,
        },
        settings,
        examples: [["jobs purge --older-than 7d --state completed", "What failed stays"]],
        run: async (args, context) =>
          (await import("../jobs/change.ts")).purgeCommand(args, context),
      }),
    ),
  },
  examples: [
    ['jobs submit "What is 12 * 34?"', "Prints the id of the job"],
    ["jobs worker", "Works on jobs, on any machine that reaches the database"],
    ["jobs list", "What there is, and how far it is"],
  ],
};
