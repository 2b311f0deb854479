/**
 * The embedded model with positions as llama.cpp turns them: gpt-oss does not round the bounds between which YaRN mixes
 * frequencies (`truncate: false`), llama.cpp rounds them always. Bounds that are whole numbers are the same in both.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelPath } from "../../inference/index.ts";

type Config = {
  readonly head_dim: number;
  readonly rope_theta: number;
  readonly rope_scaling: {
    readonly beta_fast: number;
    readonly beta_slow: number;
    readonly original_max_position_embeddings: number;
  };
};

/** @param to  a folder that is made */
export function writeModelWithRoundedRope(to: string): void {
  cpSync(demoModelPath, to, { recursive: true, filter: (path) => !path.endsWith("train") });
  const file = join(to, "config.json");
  const config = JSON.parse(readFileSync(file, "utf8")) as Config;
  const { head_dim, rope_theta, rope_scaling } = config;
  const { beta_fast, beta_slow, original_max_position_embeddings: context } = rope_scaling;
  const pairs = head_dim / 2;
  const pairThatTurns = (turns: number): number =>
    (pairs * Math.log(context / (turns * 2 * Math.PI))) / Math.log(rope_theta);
  const turnsOf = (pair: number): number => context / (2 * Math.PI * rope_theta ** (pair / pairs));
  const rounded = {
    ...rope_scaling,
    beta_fast: turnsOf(Math.floor(pairThatTurns(beta_fast))),
    beta_slow: turnsOf(Math.ceil(pairThatTurns(beta_slow))),
  };
  writeFileSync(file, JSON.stringify({ ...config, rope_scaling: rounded }));
}
