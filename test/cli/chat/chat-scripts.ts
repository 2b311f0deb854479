/** What the model and the tools of `chat-program.ts` do. */
import type {
  LanguageModel,
  ModelEvent,
  ModelRequest,
  ModelStep,
  ScriptedStep,
  Tool,
} from "../../../runtime/index.ts";
import { defineTool, ScriptedModel } from "../../../runtime/index.ts";

export type Gate = (number: number, signal: AbortSignal) => Promise<void>;

/** In a text of the script: the model waits here. */
const PAUSE = /⏸(\d)/;

/** Plays a script, with pauses in its texts and before them. */
class PacedModel extends ScriptedModel implements LanguageModel {
  readonly #gate: Gate;

  constructor(steps: readonly ScriptedStep[], gate: Gate) {
    super(steps, { name: "scripted", contextLength: 4_096 });
    this.#gate = gate;
  }

  override async sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const step = await super.sample(request, async (event) => {
      if (event.type !== "delta") return onEvent(event);
      const [pause, number] = PAUSE.exec(event.text) ?? [];
      if (pause === undefined) return onEvent(event);
      if (number === "0") await onEvent({ type: "prefill", done: 512, total: 2_048 });
      await this.#gate(Number(number), request.signal);
      const text = event.text.replace(pause, "");
      return text === "" ? undefined : onEvent({ type: "delta", text });
    });
    // A step that was too short to be measured would show another speed each time.
    return { ...step, timing: { ...step.timing, decodeMs: 0 } };
  }
}

const call = (tool: string, args: object = {}): ScriptedStep => [
  { recipient: `functions.${tool}`, text: JSON.stringify(args) },
];

const ANSWER = `# A plan

Some **bold** words, *others*, \`code\` and [a link](https://example.com/a?b=c).

1. First
2. Second
   - inside
3. Third

| name | value |
|------|------:|
| one  |     1 |
| two  |    22 |

\`\`\`python
def hello(name):
    """A greeting
    over two lines."""
    return f"Hello {name}"  # done
\`\`\`

> quoted

The end.`;

const WIDE = `漢字かな交じり文は一文字が二桁を占めるので、行の折り返しを間違えると表示が崩れてしまいます。念のため長くします。

Emoji: 😀 👩‍💻 🇩🇪 ❤️ and text behind them. 한국어도 됩니다.`;

/** Moves the cursor, sets the title, a colour and a link, clears the screen, rings, and turns text around. */
const HOSTILE =
  "\u001b[2J\u001b[Hgone\u001b[31mred\u001b]0;owned\u0007\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007" +
  "\u009b5A\rover\u0008\u0008 \u202egnp.exe\u202c \u200bzero <!-- hidden --> tab\there";

const SCRIPTS: Readonly<Record<string, readonly ScriptedStep[]>> = {
  tour: [
    [{ channel: "analysis", text: "The user greets. I say something back." }, { text: ANSWER }],
    [{ text: WIDE }],
    call("hostile"),
    [{ text: `The tool said: ${HOSTILE}` }],
    call("send", { to: "Ann", body: "Line one\nLine two" }),
    [{ text: "It was sent." }],
    call("send", { to: "Bob", body: "x".repeat(300) }),
    [{ text: "Then not." }],
    ({ transcript }) => `The question had ${lines(transcript)} lines.`,
    [{ text: "Another answer." }],
  ],
  stops: [
    [{ text: "⏸0 never said" }],
    [{ text: "one two ⏸2 three" }],
    call("wait"),
    [{ text: "It goes on." }],
    call("wait"),
    ({ transcript }) => `Read: ${last(transcript)}.`,
    ({ transcript }) => `And: ${last(transcript)}.`,
  ],
  resumed: [
    [{ channel: "analysis", text: "A second chat." }, { text: "We have met **before**." }],
    ({ transcript }) => `There are ${transcript.length} messages.`,
  ],
};

function last(transcript: ModelRequest["transcript"]): string {
  const part = transcript.at(-1)?.message.content[0];
  return part?.type === "text" ? part.text : "";
}

function lines(transcript: ModelRequest["transcript"]): number {
  return last(transcript).split("\n").length;
}

/** @throws Error for a script that there is not */
export function scripts(
  name: string,
  gate: Gate,
): { readonly model: LanguageModel; readonly tools: readonly Tool[] } {
  const steps = SCRIPTS[name];
  if (steps === undefined) throw new Error(`there is no script ${name}`);
  const tools = [
    defineTool({ name: "hostile", description: "Says bad things.", execute: () => HOSTILE }),
    defineTool({
      name: "send",
      description: "Sends a message.",
      parameters: {
        type: "object",
        properties: { to: { type: "string" }, body: { type: "string" } },
      },
      annotations: { destructiveHint: true, openWorldHint: true },
      needsApproval: true,
      execute: () => "sent",
    }),
    defineTool({
      name: "wait",
      description: "Waits.",
      execute: async (_input, { signal }) => {
        await gate(9, signal);
        return "waited";
      },
    }),
  ];
  return { model: new PacedModel(steps, gate), tools };
}
