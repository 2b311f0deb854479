/** The commands of a chat, which begin with a slash. */
import { errorText } from "../error-text.ts";
import { type ChatSession, type ChatView, textOf } from "./chat-session.ts";
import { count } from "./status-line.ts";
import type { Table } from "./text-block.ts";

export type CommandHost = {
  readonly session: ChatSession;
  readonly view: ChatView;
  /** Ends the chat. */
  leave(): void;
};

export type ChatCommand = {
  readonly name: string;
  /** What stands behind it. */
  readonly argument?: string;
  readonly description: string;
  /** What the argument can be completed to. */
  readonly values?: (host: CommandHost) => readonly string[];
  /** Whether it can be given while the model works. */
  readonly isAlwaysAllowed?: true;
  readonly run: (argument: string, host: CommandHost) => void | Promise<void>;
};

const EFFORTS = ["low", "medium", "high"] as const;

export const CHAT_COMMANDS: readonly ChatCommand[] = [
  {
    name: "help",
    description: "list commands and keys",
    isAlwaysAllowed: true,
    run: (_argument, { view }) => view.addTable(help()),
  },
  {
    name: "model",
    argument: "PATH|NAME",
    description: "show the model, or open another one",
    run: changeModel,
  },
  {
    name: "effort",
    argument: "low|medium|high",
    description: "how much the model reasons",
    values: () => EFFORTS,
    isAlwaysAllowed: true,
    run: (argument, { session, view }) => {
      const effort = EFFORTS.find((name) => name === argument);
      if (effort !== undefined) session.effort = effort;
      else if (argument !== "") {
        view.addNote(`/effort ${argument}: accepted are ${EFFORTS.join(", ")}.`, "problem");
        return;
      }
      view.addNote(
        `The effort is ${session.effort}${effort === undefined ? "" : " from the next turn on"}.`,
      );
    },
  },
  {
    name: "tools",
    argument: "[on|off NAME]",
    description: "list the tools, or switch one",
    values: ({ session }) =>
      session.tools.map(({ tool, isOn }) => `${isOn ? "off" : "on"} ${tool.recipient}`),
    isAlwaysAllowed: true,
    run: switchTools,
  },
  {
    name: "files",
    argument: "[PATH …]",
    description: "attach documents to the next question, or list them",
    run: async (argument, { session, view }) => {
      // A path with spaces stands in quotes.
      const paths = [...argument.matchAll(/"([^"]+)"|\S+/g)].map(
        ([word, quoted]) => quoted ?? word,
      );
      if (paths.length > 0) await session.attach(paths);
      const names = session.attached.join(", ");
      view.addNote(
        names === ""
          ? "Nothing is attached; /files PATH attaches a document to the next question."
          : `Attached to the next question: ${names}.`,
      );
    },
  },
  {
    name: "save",
    argument: "FILE",
    description: "write the conversation to a file: .md for Markdown, .jsonl for the log",
    run: async (argument, { session, view }) => {
      if (argument === "") {
        view.addNote("/save needs a file, like /save talk.md.", "problem");
        return;
      }
      await session.save(argument);
      view.addNote(`The conversation is in ${argument}.`);
    },
  },
  {
    name: "fork",
    description: "go on in a copy of the conversation",
    run: async (_argument, { session, view }) => {
      const before = session.thread?.id;
      const thread = await session.fork();
      view.addNote(
        thread === null
          ? "There is nothing to fork yet."
          : `This is conversation ${thread.id} now; the one before stays as it is: ${before}.`,
      );
    },
  },
  {
    name: "undo",
    description: "go back to before the last turn",
    run: async (_argument, { session, view }) => {
      const last = await session.undo();
      if (last === null) {
        view.addNote("There is no turn to undo.");
        return;
      }
      view.addNote("The last turn is undone; its question can be edited.");
      view.edit(textOf(last.messages));
    },
  },
  {
    name: "retry",
    description: "ask the last question again, with another seed",
    run: async (_argument, { session, view }) => {
      if (!(await session.retry())) view.addNote("There is no question to repeat.");
    },
  },
  {
    name: "compact",
    description: "have the model summarise the conversation, to make room",
    run: (_argument, { session }) => session.compact(),
  },
  {
    name: "schema",
    argument: "FILE|JSON|off",
    description: "answers must pass a JSON Schema or an XSD from now on",
    isAlwaysAllowed: true,
    run: changeSchema,
  },
  {
    name: "stats",
    description: "tokens and times of this conversation",
    isAlwaysAllowed: true,
    run: (_argument, { session, view }) => view.addTable(statistics(session)),
  },
  {
    name: "exit",
    description: "end the chat; the conversation is kept",
    isAlwaysAllowed: true,
    run: (_argument, host) => host.leave(),
  },
];

/** Other names by which people look for a command. */
const ALIASES: Readonly<Record<string, string>> = { quit: "exit", bye: "exit", "?": "help" };

/** @returns whether the text was a command */
export async function runChatCommand(text: string, host: CommandHost): Promise<boolean> {
  const [, name, argument = ""] = /^\/(\S+)\s*([\s\S]*)$/.exec(text.trim()) ?? [];
  // A path is no command: `/home/me/notes.txt says …`.
  if (name === undefined || /[/.]/.test(name)) return false;
  const { session, view } = host;
  const wanted = ALIASES[name] ?? name;
  const command = CHAT_COMMANDS.find((known) => known.name === wanted);
  if (command === undefined) {
    const { nearestNames } = await import("../../../tools/index.ts");
    const [near] = nearestNames(
      wanted,
      CHAT_COMMANDS.map((known) => known.name),
      1,
    );
    const advice = near === undefined ? "/help lists them" : `did you mean /${near}?`;
    view.addNote(`There is no command /${name}; ${advice}`, "problem");
    return true;
  }
  if (command.isAlwaysAllowed !== true) {
    if (!session.isOpen) {
      view.addNote(`/${name} can be used once the model is open.`, "problem");
      return true;
    }
    if (session.isWorking) {
      view.addNote(`/${name} has to wait for the turn to end; Ctrl-C stops it.`, "problem");
      return true;
    }
  }
  try {
    await command.run(argument.trim(), host);
  } catch (error) {
    view.addNote(`/${name} failed: ${errorText(error)}`, "problem");
  }
  return true;
}

async function changeModel(argument: string, { session, view }: CommandHost): Promise<void> {
  if (argument === "") {
    const { model } = session;
    view.addNote(
      model === null
        ? "No model is open."
        : `The model is ${model.name}; its context holds ${count(model.contextLength)} tokens. ` +
            "/model PATH or /model NAME opens another one.",
    );
    return;
  }
  try {
    await session.changeModel(argument);
  } catch (error) {
    view.addNote(
      `${errorText(error)} ${session.model === null ? "" : `${session.model.name} stays.`}`,
      "problem",
    );
    return;
  }
  view.addNote(`${session.model?.name} answers from now on.`);
}

function switchTools(argument: string, { session, view }: CommandHost): void {
  const [, word, name] = /^(on|off)\s+(\S+)$/.exec(argument) ?? [];
  if (name !== undefined) {
    if (session.switchTool(name, word === "on")) {
      view.addNote(`${name} is ${word} from the next turn on.`);
    } else {
      const names = session.tools.map(({ tool }) => tool.recipient).join(", ");
      view.addNote(`There is no tool ${name}; there are: ${names || "none"}.`, "problem");
    }
    return;
  }
  if (argument !== "") {
    view.addNote(
      `/tools ${argument}: accepted are /tools, /tools on NAME, /tools off NAME.`,
      "problem",
    );
    return;
  }
  const rows = session.tools.map(({ tool, isOn }): readonly [string, string] => {
    const [first = ""] = tool.description.trim().split("\n");
    const shown = first.length > 100 ? `${first.slice(0, 99)}…` : first;
    return [`${isOn ? "●" : "○"} ${tool.recipient}`, shown];
  });
  if (rows.length === 0) view.addNote("There are no tools.");
  else view.addTable(rows);
}

function statistics({ thread, model, meter }: ChatSession): Table {
  if (thread === null || model === null) return [["nothing", "has been computed yet"]];
  const { usage, turns } = thread.state;
  const rate = meter.tokensPerSecond;
  return [
    ["conversation", thread.id],
    ["turns", count(turns)],
    [
      "tokens read",
      `${count(usage.input_tokens)}, ${count(usage.cached_input_tokens)} of them cached`,
    ],
    [
      "tokens written",
      `${count(usage.output_tokens)}, ${count(usage.reasoning_output_tokens)} of them reasoning`,
    ],
    ["context", `${count(meter.contextNow)} of ${count(model.contextLength)} tokens`],
    ["speed", rate === null ? "not known yet" : `${rate.toFixed(1)} tokens/s`],
    ["model", model.name],
  ];
}

const KEYS: Table = [
  ["Enter", "send; while the model works: tell it after its current step"],
  ["Ctrl-Q", "while the model works: ask after this turn"],
  ["Shift-Enter, Ctrl-J, \\ Enter", "new line"],
  ["Tab", "complete a command or a path"],
  ["Up, Down", "earlier questions"],
  ["Ctrl-T, Ctrl-O", "show or fold reasoning, the whole of calls and results"],
  ["Ctrl-C", "stop the turn; clear the line"],
  ["Ctrl-L", "draw the screen again"],
  ["Ctrl-D", "end the chat"],
];

function help(): Table {
  const commands = CHAT_COMMANDS.map(({ name, argument, description }) => {
    return [`/${name}${argument === undefined ? "" : ` ${argument}`}`, description] as const;
  });
  return [...commands, ["", ""], ...KEYS];
}

async function changeSchema(argument: string, { session, view }: CommandHost): Promise<void> {
  if (argument === "off") session.output = undefined;
  else if (argument !== "") {
    const { outputNotes, readOutput } = await import("../read-output.ts");
    const output = await readOutput(
      /\.xsd$/i.test(argument) ? { xsd: argument } : { schema: argument },
    );
    if (output !== undefined) for (const line of await outputNotes(output)) view.addNote(line);
    session.output = output;
  }
  view.addNote(
    session.output === undefined
      ? "Answers are free."
      : "Answers must pass the schema from the next turn on; /schema off ends that.",
  );
}
