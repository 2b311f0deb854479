/** Weights that are no numbers are found when they are loaded, numbers that overflow when they are sampled from. */
import { expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { BrokenNumbersError, CheckpointError, InferenceError } from "../../inference/index.ts";
import {
  type LocalEngine,
  type LocalEngineOptions,
  openLocalEngine,
} from "../../inference/local/local-engine.ts";
import { ModelCopy } from "./broken-checkpoints.ts";

/** The last one is that of the embedding's first row. */
const PROMPT = [1, 2, 3, 4, 0];
/** Bits of bf16. */
const [NAN, INFINITY, HUGE] = [0x7fc0, 0x7f80, 0x7f7f];

/** A copy of the tiny model whose tensor begins with a value. */
function spoiled(name: string, bits: number): ModelCopy {
  const copy = new ModelCopy("hf");
  copy.tensors((tensors) => {
    const tensor = tensors.get(name) ?? expect.unreachable(name);
    expect(tensor.dtype).toBe("BF16");
    const bytes = Uint8Array.from(tensor.bytes);
    new DataView(bytes.buffer).setUint16(0, bits, true);
    tensors.set(name, { ...tensor, bytes });
  });
  return copy;
}

type Options = Pick<LocalEngineOptions, "precision" | "tuning">;
const WAYS: readonly Options[] = [
  { precision: "exact" },
  { precision: "int8" },
  { precision: "int8", tuning: { minScreenedWeights: 1 } },
];

async function open(folder: string, options: Options): Promise<LocalEngine> {
  const checkpoint = openCheckpoint(folder);
  try {
    return await openLocalEngine(checkpoint, { ...options, contextLength: 64, threads: 1 });
  } finally {
    checkpoint.close();
  }
}

const LAYER = "model.layers.1";
test.each([
  "model.norm.weight",
  "model.embed_tokens.weight",
  "lm_head.weight",
  "model.layers.0.self_attn.q_proj.weight",
  `${LAYER}.self_attn.o_proj.bias`,
  `${LAYER}.self_attn.sinks`,
  `${LAYER}.post_attention_layernorm.weight`,
  `${LAYER}.mlp.router.weight`,
  `${LAYER}.mlp.experts.gate_up_proj_bias`,
])("a NaN or an infinity in %s is an error when the model is loaded", async (name) => {
  for (const [precision, bits] of [
    ["exact", NAN],
    ["int8", 0x8000 | INFINITY],
  ] as const) {
    using copy = spoiled(name, bits);
    const error: unknown = await open(copy.folder, { precision }).then(
      (engine) => engine.close(),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ item: name, message: expect.stringContaining("NaN") });
  }
});

/** Finite, but their squares, or their products, are not. */
test.each([`${LAYER}.self_attn.o_proj.bias`, "model.embed_tokens.weight"])(
  "where %s overflows, a generation ends with an error that names the token",
  async (name) => {
    using copy = spoiled(name, HUGE);
    for (const options of WAYS) {
      const engine = await open(copy.folder, options);
      for (const temperature of [0, 1]) {
        const session = await engine.createSession();
        await session.sync(PROMPT);
        const sampling = { temperature, topP: 1, seed: 7 };
        const ids: number[] = [];
        const generate = async (): Promise<void> => {
          const run = session.generate({ maxTokens: 12, stopIds: new Set(), sampling });
          for await (const id of run) ids.push(id);
        };
        const error: unknown = await generate().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(BrokenNumbersError);
        expect(error).toBeInstanceOf(InferenceError);
        expect(error).toMatchObject({ code: "CHORALE_NUMBERS_BROKEN", position: PROMPT.length });
        expect(ids).toEqual([]);
        expect(session.tokens).toEqual(PROMPT);
        await session.close();
      }
      await engine.close();
    }
  },
);
