/**
 * No content becomes a control token: the special tokens of a rendered conversation are those of the same
 * conversation with harmless texts, for every text in every place of it.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  conversationFromJson,
  createTokenizer,
  type DropPolicy,
  HarmonyParser,
  type HeaderStyle,
  MODEL_HEADER_STYLE,
  REFERENCE_HEADER_STYLE,
  type RenderOptions,
  renderConversation,
  renderForCompletion,
  renderForTraining,
  SPECIAL_TEXT,
  type Tokenizer,
  tokenizerFromHfJson,
} from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { hfTokenizerJson, smallVocabulary } from "./small-vocabulary.ts";

const o200k = loadO200kHarmony();
const small = createTokenizer(smallVocabulary(o200k, 1200));
const hf = tokenizerFromHfJson(hfTokenizerJson(smallVocabulary(o200k, 700), "pair"));

/** Special tokens in pieces that come together again when texts are joined, or not quite. */
const SPELLINGS = [
  ...Object.values(SPECIAL_TEXT),
  ...["<|endoftext|>", "<|startoftext|>", "<|reserved_200013|>", "<|untrusted|>"],
].flatMap((token) => [
  token,
  token.slice(0, 2),
  token.slice(2),
  token.slice(0, 4),
  token.slice(4),
  token.slice(0, -1),
  token.slice(-1),
  token.toUpperCase(),
  [...token].join("\u200B"),
]);

const hostile = fc
  .array(
    fc.oneof(
      { arbitrary: fc.constantFrom(...SPELLINGS), weight: 4 },
      fc.constantFrom(
        " ",
        "\n",
        "assistant",
        " to=",
        "f",
        "\uD800",
        "}) => any;",
        "// ",
        '"',
        "json",
      ),
      fc.string({ maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join(""));

/** Gives the texts of a conversation one after another. */
type Texts = () => string;

/** A JSON Schema with a text in every place that can hold one. */
function schemaOf(text: Texts): unknown {
  return {
    type: "object",
    title: text(),
    description: text(),
    properties: {
      [`1${text()}`]: { type: "string", title: text(), description: text(), default: text() },
      [`2${text()}`]: { enum: [text(), text()], description: text(), examples: [text()] },
      [`3${text()}`]: { type: "array", items: { type: "string", pattern: text() } },
      [`4${text()}`]: { oneOf: [{ const: text(), description: text() }, { $ref: "#/$defs/N" }] },
      [`5${text()}`]: { type: "object", additionalProperties: { const: { [text()]: text() } } },
    },
    required: [`1${text()}`, text()],
    $defs: { N: { type: "object", title: text(), properties: { n: { $ref: "#/$defs/N" } } } },
  };
}

function namespaceOf(text: Texts, name: string): unknown {
  return {
    name,
    description: text(),
    tools: [
      { name: `f${text()}`, description: text(), parameters: schemaOf(text) },
      { name: `g${text()}`, description: text(), parameters: null },
    ],
  };
}

type Shape = {
  readonly kind: "system" | "developer" | "user" | "assistant" | "tool";
  readonly channel: "analysis" | "final" | "commentary" | "hostile" | null;
  readonly isAddressed: boolean;
  readonly type: "constrain" | "bare" | null;
  readonly isNamed: boolean;
};

/** A message of the wire form. Number and kinds of its parts do not depend on the texts. */
function messageOf(shape: Shape, text: Texts): unknown {
  const { kind, channel, isAddressed, type, isNamed } = shape;
  const word = (): string => text().replace(/^<\|constrain\|>/, "");
  return {
    role: kind,
    ...((isNamed || kind === "tool") && { name: `n${text()}` }),
    ...(channel !== null && { channel: channel === "hostile" ? `c${text()}` : channel }),
    ...(isAddressed && { recipient: `r${text()}` }),
    ...(type !== null && {
      content_type: type === "constrain" ? `<|constrain|>${word()}` : `t${word()}`,
    }),
    content: contentOf(kind, text),
  };
}

function contentOf(kind: Shape["kind"], text: Texts): unknown {
  if (kind === "system") {
    return [
      {
        type: "system_content",
        model_identity: text(),
        knowledge_cutoff: text(),
        conversation_start_date: text(),
        channel_config: { valid_channels: [text(), text()], channel_required: true },
        tools: { a: namespaceOf(text, text()) },
      },
    ];
  }
  if (kind === "developer") {
    return [
      {
        type: "developer_content",
        instructions: text(),
        tools: {
          functions: namespaceOf(text, "functions"),
          [`k${text()}`]: namespaceOf(text, text()),
        },
        response_formats: [
          { name: text(), description: text(), schema: schemaOf(text) },
          { name: text(), description: text(), schema: text() },
        ],
      },
    ];
  }
  // Several contents stand directly behind each other.
  return [text(), text(), text()].map((part) => ({ type: "text", text: part }));
}

const shapes = fc.array(
  fc.record<Shape>({
    kind: fc.constantFrom("system", "developer", "user", "assistant", "tool"),
    channel: fc.constantFrom("analysis", "final", "commentary", "hostile", null),
    isAddressed: fc.boolean(),
    type: fc.constantFrom("constrain", "bare", null),
    isNamed: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);

const options: fc.Arbitrary<RenderOptions> = fc.record({
  headerStyle: fc.oneof(
    fc.constantFrom<HeaderStyle>(REFERENCE_HEADER_STYLE, MODEL_HEADER_STYLE),
    fc.record<HeaderStyle>({
      recipientPosition: fc.constantFrom("role", "channel"),
      contentType: fc.constantFrom("as-given", "constrain", "bare", "none"),
    }),
  ),
  dropPolicy: fc.constantFrom<DropPolicy>("none", "turn", "reference"),
  schemas: fc.constantFrom("normalised", "reference"),
});

const FORMS = { renderConversation, renderForCompletion, renderForTraining };

describe("no content becomes a control token", () => {
  const render = (
    of: Tokenizer,
    form: keyof typeof FORMS,
    given: readonly Shape[],
    text: Texts,
    rendering: RenderOptions,
  ): number[] => {
    const messages = conversationFromJson({
      messages: given.map((shape) => messageOf(shape, text)),
    });
    return form === "renderForCompletion"
      ? renderForCompletion(of, messages, "assistant", rendering)
      : FORMS[form](of, messages, rendering);
  };

  test.each([
    ["o200k", o200k],
    ["a small vocabulary", small],
    ["a tokenizer.json", hf],
  ] as const)("over %s", (_name, tokenizer) => {
    fc.assert(
      fc.property(
        shapes,
        options,
        fc.constantFrom<keyof typeof FORMS>(
          "renderConversation",
          "renderForCompletion",
          "renderForTraining",
        ),
        fc.infiniteStream(hostile),
        (given, rendering, form, stream) => {
          const next = (): string => String(stream.next().value);
          const ids = render(tokenizer, form, given, next, rendering);
          const harmless = render(tokenizer, form, given, () => "x", rendering);
          const controls = ids.filter((id) => tokenizer.isSpecial(id));
          expect(controls).toEqual(harmless.filter((id) => tokenizer.isSpecial(id)));
          // As text, nothing is changed either: what was said is what the model reads.
          for (const content of contents(tokenizer, ids)) {
            expect(content.some((id) => tokenizer.isSpecial(id))).toBe(false);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("what was rendered is read as the same messages", () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 4 }), (texts) => {
        const messages = texts.map((text, at) => ({
          role: at % 2 === 0 ? "user" : "assistant",
          ...(at % 2 === 1 && { channel: "final" }),
          content: text,
        }));
        const ids = renderConversation(o200k, conversationFromJson({ messages }), {
          dropPolicy: "none",
        });
        const parsed = HarmonyParser.parse(ids, { tokenizer: o200k });
        expect(parsed.map(({ text }) => text)).toEqual(texts.map((text) => text.toWellFormed()));
      }),
      { numRuns: 300 },
    );
  });
});

/** The ids of each message's content: from `<|message|>` to the end of the message. */
function contents({ special }: Tokenizer, ids: readonly number[]): number[][] {
  const ends = [special.end, special.call, special.return];
  const found: number[][] = [];
  let from = -1;
  ids.forEach((id, at) => {
    if (id === special.message && from === -1) from = at + 1;
    else if (ends.includes(id) && from !== -1) {
      found.push(ids.slice(from, at));
      from = -1;
    }
  });
  return found;
}
