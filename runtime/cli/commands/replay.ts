import { type Command, defineCommand, optional } from "../command/command.ts";
import { jsonFlag } from "../flags.ts";
import { exclusiveAnswers, runSettings } from "./run.ts";

export const command: Command = defineCommand({
  positionals: {
    thread: optional(
      "The conversation: its id, the beginning of it, or a file of its log (default: the last one of this folder)",
      "thread",
    ),
  },
  flags: {
    check: {
      type: "text",
      placeholder: "DIR",
      completes: "folder",
      describe: "Replay every *.jsonl below this folder; status 1 if one differs",
    },
    until: {
      type: "integer",
      placeholder: "STEP",
      min: 1,
      max: 100_000,
      describe: "The last step that is replayed (default: all)",
    },
    edit: {
      type: "text",
      placeholder: "CALL[=TEXT]",
      list: true,
      describe:
        "Go on live, in a copy, with another result of a call (its id or number): TEXT, @FILE, or what an editor leaves",
    },
    live: {
      type: "switch",
      describe: "Go on live, in a copy, behind the step that --until names",
    },
    ...jsonFlag,
  },
  settings: runSettings,
  exclusive: [["check", "until"], ["check", "edit"], ["check", "live"], ...exclusiveAnswers],
  examples: [
    ["replay", "Sample the last conversation again and say where it differs, if it does"],
    ["replay 0f3a", "Another one"],
    ["replay 0f3a --until 3", "The first three steps"],
    ["replay --check test/threads", "Recorded conversations as tests, for CI"],
    ['replay 0f3a --edit \'1={"sky":"rain"}\'', "What would be if the first call had said so"],
    ["replay 0f3a --until 2 --live --effort high", "Another way to go on behind the second step"],
  ],
  run: async (args, context) => {
    const whole = { ...args, agent: args, model: args };
    const { check } = args;
    return check === undefined
      ? (await import("../replay.ts")).replayCommand(whole, context)
      : (await import("../replay-check.ts")).checkCommand({ ...whole, check }, context);
  },
});
