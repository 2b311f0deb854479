/**
 * The models of this machine, by name alone: those that were pulled, those that other programs keep, and the one
 * that the server was started with. A request cannot name a path: a client must not learn what lies on this disk.
 */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import {
  demoModelName,
  describeModel,
  findStoredModel,
  type ModelDescription,
  modelNameText,
  parseModelName,
} from "../../../inference/index.ts";
import { isForeseen } from "../../errors.ts";
import {
  type HarmonyModel,
  listModels,
  modelStore,
  pullModel,
  resolveModelName,
} from "../../index.ts";
import { ServerError } from "../errors.ts";
import {
  findByName,
  isCalled,
  type ModelFacts,
  type ModelSource,
  type OpenOptions,
} from "./model-source.ts";
import { PullQueue } from "./pull-queue.ts";

export type MachineSourceOptions = {
  readonly env: NodeJS.ProcessEnv;
  /** Folder, file or name of the model that the server is started with; undefined: the embedded one. */
  readonly model: string | undefined;
  /** Tokens that a model is opened with where no request asks for more; null: the engine's own default. */
  readonly contextLength: number | null;
  /** @param path undefined: the embedded model */
  readonly open: (path: string | undefined, options: OpenOptions) => Promise<HarmonyModel>;
};

/** What the engine takes where nothing is said. */
const ENGINE_CONTEXT = 16_384;

/** A model that can be opened. */
type Known = ModelFacts & {
  /** undefined: the embedded one. */
  readonly path: string | undefined;
};

/** @throws InferenceError for a model that is not there, or cannot be read */
export function machineSource({
  env,
  model,
  contextLength,
  open,
}: MachineSourceOptions): ModelSource {
  const described = new Map<string, Known>();
  const factsOf = (name: string, path: string | undefined, digest: string | null): Known => {
    const modifiedAt = modifiedTime(path);
    const key = JSON.stringify([name, path, modifiedAt]);
    const known = described.get(key) ?? {
      ...modelFacts(name, describeModel(path), digest, modifiedAt),
      path,
    };
    described.set(key, known);
    return known;
  };
  const named = resolveModelName(model, env);
  const first = factsOf(named?.name ?? demoModelName, named?.path, null);
  let listed: { readonly models: readonly Known[]; readonly at: number } | null = null;
  const all = (): readonly Known[] => {
    if (listed === null || performance.now() - listed.at > LIST_MS) {
      listed = { models: readAll(), at: performance.now() };
    }
    return listed.models;
  };
  const forget = (): void => {
    listed = null;
  };
  const readAll = (): readonly Known[] => {
    const digests = new Map(
      modelStore(env)
        .list()
        .models.map(({ path, manifest }) => [path, manifest.digest] as const),
    );
    const others = listModels(env).flatMap((local): Known[] => {
      try {
        const path = local.path();
        if (path === first.path) return [];
        return [factsOf(local.text, path, digests.get(path) ?? null)];
      } catch (error) {
        // One that is broken, not whole, or of another kind: `chorale list` and `chorale verify` tell of it.
        if (isForeseen(error)) return [];
        throw error;
      }
    });
    return [first, ...others];
  };
  return {
    list: async () => all(),
    // The model that the server was started with needs no look at the disk.
    find: async (name) => (isCalled(first, name) ? first : findByName(all(), name)),
    defaultContext: (facts) => Math.min(facts.contextLength, contextLength ?? ENGINE_CONTEXT),
    open: (facts, options) => open((facts as Known).path, options),
    pull: async function* (text, { signal }) {
      checkRegistry(text);
      const isStored = findStoredModel(text, modelStore(env)) !== undefined;
      if (!isStored && findByName(all(), text) !== null) {
        yield { status: "pulling manifest" };
        yield { status: "success" };
        return;
      }
      const queue = new PullQueue();
      const pulling = pullModel(text, {
        env,
        signal,
        onProgress: (progress) => queue.push(progress),
      }).finally(() => queue.end());
      pulling.catch(() => {});
      yield* queue;
      await pulling;
      forget();
      yield { status: "success" };
    },
    remove: async (text) => {
      const store = modelStore(env);
      const stored = findStoredModel(text, store);
      if (stored === undefined) {
        if (findByName(all(), text) === null) return false;
        throw new ServerError("CHORALE_REQUEST", `${text} was not pulled by Chorale: it stays.`);
      }
      const removed = await store.remove(stored.name, NEVER);
      forget();
      return removed !== undefined;
    },
    copy: async (from, to) => {
      const store = modelStore(env);
      const stored = findStoredModel(from, store);
      if (stored === undefined) return false;
      const name = parseModelName(to);
      await store.copy(stored, name, modelNameText(name), NEVER);
      forget();
      return true;
    },
  };
}

/** For so long the models of the disk are taken for those that were there. */
const LIST_MS = 2_000;

const NEVER = new AbortController().signal;

/** Registries that a request may have asked: an address of its own choice could be one of this network. */
const REGISTRIES: ReadonlySet<string> = new Set(["registry.ollama.ai", "huggingface.co"]);

function checkRegistry(text: string): void {
  const { host } = parseModelName(text);
  if (REGISTRIES.has(host)) return;
  throw new ServerError(
    "CHORALE_FORBIDDEN",
    `Requests pull from ${[...REGISTRIES].join(" and ")} only; chorale pull takes any registry.`,
    { status: 403 },
  );
}

function modelFacts(
  name: string,
  description: ModelDescription,
  digest: string | null,
  modifiedAt: number,
): ModelFacts {
  const { parameters, bytes, fingerprint, contextLength, hidden, groups } = description;
  const experts = groups.find(({ group }) => group === "experts");
  return {
    name,
    aliases: [],
    modifiedAt,
    size: bytes,
    // Clients want a digest of 64 digits; of a model that no registry sent, the weights are known by fewer.
    digest: /[0-9a-f]{64}$/.exec(digest ?? "")?.[0] ?? digestOf(fingerprint),
    architecture: "gptoss",
    format: "gguf",
    parameterSize: sizeText(parameters),
    parameterCount: parameters,
    quantization: experts?.types[0] ?? "",
    contextLength,
    embeddingLength: hidden,
    sampling: {},
    license: null,
  };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const STARTED_AT = Date.now();

/** Of the embedded model: when this process began. */
function modifiedTime(path: string | undefined): number {
  if (path === undefined) return STARTED_AT;
  return Math.floor(statSync(path).mtimeMs);
}

/** `20.9B`, `117.0M`. */
function sizeText(parameters: number): string {
  const [unit, name] = parameters >= 1e9 ? [1e9, "B"] : parameters >= 1e6 ? [1e6, "M"] : [1e3, "K"];
  return `${(parameters / unit).toFixed(1)}${name}`;
}
