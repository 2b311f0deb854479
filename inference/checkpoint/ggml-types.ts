import { CheckpointError } from "../errors.ts";
import type { Dtype } from "./dtypes.ts";

/**
 * Number of each element type in a GGUF header. 4 was a type that ggml gave up; Ollama's first
 * gpt-oss files use it for MXFP4 with the nibbles as OpenAI published them.
 */
const DTYPE_OF: ReadonlyMap<number, Dtype> = new Map([
  [0, "F32"],
  [1, "F16"],
  [2, "Q4_0"],
  [3, "Q4_1"],
  [4, "MXFP4_ADJACENT"],
  [6, "Q5_0"],
  [7, "Q5_1"],
  [8, "Q8_0"],
  [12, "Q4_K"],
  [13, "Q5_K"],
  [14, "Q6_K"],
  [20, "IQ4_NL"],
  [30, "BF16"],
  [39, "MXFP4"],
]);

/** Those that exist, but are not read; for messages. */
const OTHER_NAMES: ReadonlyMap<number, string> = new Map([
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [40, "NVFP4"],
]);

/** @throws RangeError for a dtype that GGUF has no number for */
export function ggmlTypeOf(dtype: Dtype): number {
  for (const [type, known] of DTYPE_OF) if (known === dtype) return type;
  throw new RangeError(`GGUF has no number for ${dtype}`);
}

/**
 * @param tensor for the message
 * @throws CheckpointError for a type that is not read
 */
export function dtypeOfGgmlType(type: number, path: string, tensor: string): Dtype {
  const dtype = DTYPE_OF.get(type);
  if (dtype !== undefined) return dtype;
  const name = OTHER_NAMES.get(type);
  throw new CheckpointError(
    path,
    `the tensor ${tensor} has the ggml type ${type}${name === undefined ? "" : ` (${name})`}; ` +
      `accepted: ${[...DTYPE_OF].map(([id, known]) => `${known} (${id})`).join(", ")}. ` +
      "Take a file of the same model with one of these.",
    tensor,
  );
}
