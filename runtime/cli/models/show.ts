/** `chorale show [NAME]`: what a model is, and what it would need and do on this machine. */
import {
  availableMemory,
  demoModelName,
  describeModel,
  type ModelDescription,
  type ModelManifest,
  measureBandwidth,
  type Precision,
} from "../../../inference/index.ts";
import { modelStore, resolveModelName } from "../../index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { visibleText } from "../terminal-text.ts";
import { bytesText } from "./transfer-progress.ts";

export type ShowArguments = {
  readonly name: string | undefined;
  readonly context: number | undefined;
  readonly threads: number | undefined;
  readonly precision: Precision | undefined;
  readonly json: boolean;
};

type Speed = {
  /** Bytes per second that memory is read with. */
  readonly bandwidth: number;
  /** Tokens per second if decoding did nothing but read. */
  readonly limit: number;
};

/** @throws InferenceError, the signal's reason */
export async function showCommand(
  { name, context: contextLength, threads, precision, json }: ShowArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const found = resolveModelName(name, env);
  const model = describeModel(found?.path, { contextLength, threads, precision });
  const { manifest } =
    modelStore(env)
      .list()
      .models.find(({ path }) => path === found?.path) ?? {};
  const available = availableMemory();
  const bandwidth = await measureBandwidth(model.engine.threads, signal);
  const speed = { bandwidth, limit: bandwidth / model.engine.bytesPerToken };
  const shown = found?.name ?? demoModelName;
  if (json) output.jsonLine(asJson(shown, found?.path ?? null, model, manifest, available, speed));
  else for (const line of asText(shown, model, manifest, available, speed)) output.line(line);
  return EXIT.ok;
}

function asJson(
  name: string,
  path: string | null,
  { engine, groups, ...facts }: ModelDescription,
  manifest: ModelManifest | undefined,
  available: number,
  { bandwidth, limit }: Speed,
): object {
  return {
    name,
    path,
    architecture: facts.architecture,
    parameters: facts.parameters,
    active_parameters: facts.activeParameters,
    layers: facts.layers,
    hidden: facts.hidden,
    heads: facts.heads,
    kv_heads: facts.kvHeads,
    experts: facts.experts,
    experts_per_token: facts.expertsPerToken,
    vocabulary: facts.vocabulary,
    context_length: facts.contextLength,
    bytes: facts.bytes,
    fingerprint: facts.fingerprint,
    groups,
    memory: {
      context_length: engine.contextLength,
      needed_bytes: engine.bytes,
      available_bytes: available,
      fits: engine.bytes <= available,
      parts: engine.parts,
    },
    speed: {
      precision: engine.precision,
      threads: engine.threads,
      bytes_per_token: engine.bytesPerToken,
      bandwidth_bytes_per_s: Math.round(bandwidth),
      decode_limit_tokens_per_s: Number(limit.toPrecision(3)),
    },
    license: manifest?.license ?? null,
    source: manifest?.source ?? null,
    digest: manifest?.digest ?? null,
  };
}

function asText(
  name: string,
  model: ModelDescription,
  manifest: ModelManifest | undefined,
  available: number,
  { bandwidth, limit }: Speed,
): string[] {
  const { engine, groups } = model;
  const fits =
    engine.bytes <= available
      ? "it fits"
      : "it does not fit: --memory SIZE reads experts from the file when they are needed";
  const rows: [string, string][] = [
    ["model", name],
    [
      "architecture",
      `${model.architecture}, ${model.layers} layers of ${model.hidden}, ${model.experts} experts, ${model.expertsPerToken} for each token`,
    ],
    ["parameters", `${count(model.parameters)}, ${count(model.activeParameters)} for each token`],
    ["context", `${model.contextLength} tokens`],
    ["weights", bytesText(model.bytes)],
    ...groups.map(({ group, types, parameters, bytes }): [string, string] => [
      `  ${group}`,
      `${types.join(", ")}, ${count(parameters)} in ${bytesText(bytes)}`,
    ]),
    [
      "memory",
      `${bytesText(engine.bytes)} for ${engine.contextLength} tokens of context; ${bytesText(available)} are available: ${fits}`,
    ],
    [
      "speed",
      `at most ${rounded(limit)} tokens/s: ${bytesText(engine.bytesPerToken)} of weights for each token, read with ${bytesText(bandwidth)}/s by ${engine.threads === 1 ? "1 thread" : `${engine.threads} threads`}; chorale bench measures it`,
    ],
  ];
  if (manifest !== undefined) {
    const { license, source, pulledAt } = manifest;
    const commit = source.commit === null ? "" : `, commit ${source.commit.slice(0, 12)}`;
    rows.push(
      ["licence", license ?? (hasLicense(manifest) ? "see its file LICENSE" : "not said")],
      ["source", `${source.endpoint}/${source.repository} (${source.revision}${commit})`],
      ["pulled", pulledAt],
    );
  }
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => visibleText(`${label.padEnd(width)}  ${value}`));
}

function rounded(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(2);
}

function hasLicense({ files }: ModelManifest): boolean {
  return files.some(({ name }) => /^licen[sc]e/i.test(name));
}

/** `20.9 billion`, `112 million`, `81,216` */
function count(parameters: number): string {
  if (parameters >= 1e9) return `${(parameters / 1e9).toFixed(1)} billion`;
  if (parameters >= 1e6) return `${(parameters / 1e6).toFixed(1)} million`;
  return parameters.toLocaleString("en");
}
