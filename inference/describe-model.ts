/** What a model is and what it would need here, without loading it. */
import { elementsIn } from "./checkpoint/dtypes.ts";
import { openCheckpoint } from "./checkpoint/open.ts";
import type { Tensor } from "./checkpoint/tensor-file.ts";
import {
  type Checkpoint,
  type ExpertLinear,
  expertTensors,
  type Linear,
} from "./checkpoint/tensors.ts";
import {
  type EngineEstimate,
  estimateEngine,
  type OpenModelOptions,
} from "./local/local-engine.ts";
import { demoModelPath } from "./open-model.ts";

export type TensorGroup = {
  readonly group: "embedding" | "attention" | "router" | "experts" | "unembedding" | "others";
  /** How the weights are stored: `MXFP4`, `BF16`, `Q8_0`. */
  readonly types: readonly string[];
  readonly parameters: number;
  /** In the files. */
  readonly bytes: number;
};

export type ModelDescription = {
  readonly architecture: "gpt-oss";
  readonly layers: number;
  readonly hidden: number;
  readonly experts: number;
  readonly expertsPerToken: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocabulary: number;
  /** Most tokens that the model was made for. */
  readonly contextLength: number;
  readonly parameters: number;
  /** Of which one token uses so many. */
  readonly activeParameters: number;
  /** Bytes of all tensors. */
  readonly bytes: number;
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly groups: readonly TensorGroup[];
  /** As this machine would load it with the options. */
  readonly engine: EngineEstimate;
};

/**
 * @param path as for `openModel`
 * @throws ModelNotFoundError, CheckpointError, UnsupportedArchitectureError, InvalidRequestError
 */
export function describeModel(
  path: string | undefined,
  options: Pick<OpenModelOptions, "contextLength" | "threads" | "precision" | "memoryLimit"> = {},
): ModelDescription {
  const checkpoint = openCheckpoint(path ?? demoModelPath);
  try {
    const { config } = checkpoint;
    const groups = groupsOf(checkpoint);
    const parameters = sum(groups.map((group) => group.parameters));
    const ofExperts = groups.find(({ group }) => group === "experts")?.parameters ?? 0;
    const ofEmbedding = groups.find(({ group }) => group === "embedding")?.parameters ?? 0;
    const idle = ofExperts * (1 - config.expertsPerToken / config.experts);
    // As for `openModel`: the embedded model is exact.
    const precision = options.precision ?? (path === undefined ? "exact" : "int8");
    return {
      architecture: "gpt-oss",
      layers: config.layers,
      hidden: config.hidden,
      experts: config.experts,
      expertsPerToken: config.expertsPerToken,
      heads: config.heads,
      kvHeads: config.kvHeads,
      vocabulary: config.vocab,
      contextLength: config.contextLength,
      parameters,
      // One row of the embedding is read, which is next to nothing.
      activeParameters: Math.round(parameters - idle - ofEmbedding),
      bytes: checkpoint.byteLength,
      fingerprint: checkpoint.fingerprint(),
      groups,
      engine: estimateEngine(checkpoint, { ...options, precision }),
    };
  } finally {
    checkpoint.close();
  }
}

function groupsOf(checkpoint: Checkpoint): readonly TensorGroup[] {
  const { layers, embedding, unembedding, norm } = checkpoint;
  const linear = ({ weight, bias }: Linear): Tensor[] => [weight, bias];
  const attention = layers.flatMap(({ q, k, v, out }) => [q, k, v, out].flatMap(linear));
  const others = layers.flatMap(({ attnNorm, sinks, mlpNorm }) => [attnNorm, sinks, mlpNorm]);
  return [
    groupOf("embedding", [embedding]),
    groupOf("attention", attention),
    groupOf(
      "router",
      layers.flatMap(({ router }) => linear(router)),
    ),
    expertsOf(layers.flatMap(({ gateUp, down }) => [gateUp, down])),
    groupOf("unembedding", [unembedding]),
    groupOf("others", [norm, ...others]),
  ];
}

function groupOf(group: TensorGroup["group"], tensors: readonly Tensor[]): TensorGroup {
  const distinct = new Map(tensors.map((tensor) => [`${tensor.path} ${tensor.position}`, tensor]));
  const found = [...distinct.values()];
  return {
    group,
    types: typesOf(found),
    parameters: sum(found.map(({ dtype, byteLength }) => elementsIn(dtype, byteLength))),
    bytes: sum(found.map(({ byteLength }) => byteLength)),
  };
}

/** Two tensors or two parts of one; a scale is no parameter. */
function expertsOf(linears: readonly ExpertLinear[]): TensorGroup {
  const weights = linears.flatMap(expertTensors);
  const biases = linears.flatMap(({ bias }) => bias.flat());
  const { bytes } = groupOf("experts", [...weights, ...biases]);
  const isSeparate = linears.some(({ weights: { form } }) => form === "separate");
  const parameters = sum(
    linears.map(({ experts, outputs, inputs }) => experts * outputs * (inputs + 1)),
  );
  const types = isSeparate
    ? ["MXFP4"]
    : typesOf(weights).map((type) => type.replace("_ADJACENT", ""));
  return { group: "experts", types, parameters, bytes };
}

/** Of the matrices: biases of another type are no news. */
function typesOf(tensors: readonly Tensor[]): string[] {
  const matrices = tensors.filter(({ shape }) => shape.length > 1);
  return [...new Set((matrices.length > 0 ? matrices : tensors).map(({ dtype }) => dtype))].sort();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
