/**
 * Pulls of models from a registry on this machine that fails at random: connections that are cut or slow, wrong ranges,
 * wrong bytes, errors, restarts, a full disk, SIGKILL of the process that pulls. What must hold: the model is there with
 * the right bytes, or there is an error that says why and nothing of it; the next pull without faults brings it; and
 * a process that is killed loses less than one piece of what it had received.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { ModelStoreError } from "../../inference/errors.ts";
import { ModelStore } from "../../inference/store/model-store.ts";
import { parseModelName } from "../../inference/store/names.ts";
import { receivedBytes } from "../../inference/store/partial-file.ts";
import { pullModel } from "../../inference/store/pull.ts";
import { StreamClient } from "../../tools/index.ts";
import { FORMS, makeGguf } from "../fixtures/make-gguf-model.ts";
import { randomWeights, TINY } from "../fixtures/make-tiny-model.ts";
import { type Fault, ModelRegistry, sha256 } from "../fixtures/model-registry.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";

export type PullStress = {
  readonly runs: number;
  /** Runs by what was done to them. */
  readonly faulty: number;
  readonly killed: number;
  /** null where this machine does not let a user mount a small disk. */
  readonly diskFull: number | null;
  readonly restarts: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Runs that ended with an error, by its code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Most bytes that a killed process had received and that have to come again. */
  readonly mostLostBytes: number;
  readonly pieceBytes: number;
  readonly problems: readonly string[];
};

export type PullStressOptions = {
  readonly runs: number;
  readonly seed: number;
  readonly folder: string;
  readonly onProgress?: (runs: number) => void;
};

const PIECE = 1 << 20;
const NAME = "gpt-oss:20b";
/** After so many there is no use in going on. */
const MAX_PROBLEMS = 10;
/** Of a request for content. */
const FAULT_RATE = 0.3;
const SMALL_DISK_BYTES = 3 << 20;

export async function stressPulls(options: PullStressOptions): Promise<PullStress> {
  const random = randomNumbers(options.seed);
  const content = modelOf(random);
  await using registry = await ModelRegistry.open({
    images: { "library/gpt-oss:20b": { model: content, license: "free" } },
  });
  const stress = new Stress(registry, content, random, options.folder);
  const mounts = canMount();
  for (let run = 0; run < options.runs; run++) {
    const kind = random();
    if (kind < 0.6) await stress.faultyRun();
    else if (kind < 0.85 || !mounts) await stress.killedRun();
    else await stress.fullDiskRun();
    options.onProgress?.(run + 1);
    if (stress.problems.length >= MAX_PROBLEMS) break;
  }
  const { counts, faults, errors, mostLostBytes, problems } = stress;
  return {
    runs: counts.faulty + counts.killed + counts.diskFull,
    ...counts,
    diskFull: mounts ? counts.diskFull : null,
    faults,
    errors,
    mostLostBytes,
    pieceBytes: PIECE,
    problems,
  };
}

class Stress {
  readonly counts = { faulty: 0, killed: 0, diskFull: 0, restarts: 0 };
  readonly faults: Record<string, number> = {};
  readonly errors: Record<string, number> = {};
  readonly problems: string[] = [];
  mostLostBytes = 0;
  readonly #registry: ModelRegistry;
  readonly #content: Uint8Array;
  readonly #hash: string;
  readonly #random: () => number;
  readonly #folder: string;
  readonly #store: ModelStore;

  constructor(registry: ModelRegistry, content: Uint8Array, random: () => number, folder: string) {
    this.#registry = registry;
    this.#content = content;
    this.#hash = sha256(content);
    this.#random = random;
    this.#folder = folder;
    this.#store = new ModelStore(join(folder, "models"));
  }

  /** Faults of the server and of connections. */
  async faultyRun(): Promise<void> {
    this.counts.faulty++;
    this.#registry.fault = () => this.#anyFault();
    const restarting = this.#random() < 0.2 ? this.#restart() : undefined;
    await this.#pull();
    await restarting;
    await this.#mustCome();
  }

  /** SIGKILL in the middle, again and again until it is through. */
  async killedRun(): Promise<void> {
    this.counts.killed++;
    this.#registry.fault = ({ range }) =>
      range === undefined ? undefined : { kind: "slow", ms: 1 };
    const { byteLength } = this.#content;
    const sentBefore = this.#registry.sentBytes;
    const moment = Math.floor(this.#random() * byteLength);
    const count = join(this.#folder, "count");
    rmSync(count, { force: true });
    const child = this.#child(this.#store.root, count);
    const ended = once(child, "exit");
    const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
    while (isRunning() && this.#registry.sentBytes - sentBefore < moment) await wait(1);
    child.kill("SIGKILL");
    await ended;
    if (!existsSync(this.#store.blob(this.#hash))) {
      const received = existsSync(count) ? Number(readFileSync(count, "utf8")) : 0;
      const lost = received - (await receivedBytes(this.#store, this.#hash, byteLength));
      this.mostLostBytes = Math.max(this.mostLostBytes, lost);
      if (lost > PIECE) {
        this.problems.push(`killed after ${received} bytes: ${lost} of them are lost`);
      }
    }
    await this.#mustCome();
  }

  /** A disk of a few megabytes, which then grows. */
  async fullDiskRun(): Promise<void> {
    this.counts.diskFull++;
    this.#registry.fault = () => undefined;
    const disk = join(this.#folder, "disk");
    mkdirSync(disk, { recursive: true });
    const entry = join(import.meta.dirname, "pull-child.ts");
    const pull = (unchecked: string): string =>
      `"${process.execPath}" "${entry}" "${disk}/models" ${this.#registry.url} ${NAME} ${PIECE} "${disk}/count" ${unchecked}`;
    const script = [
      `mount -t tmpfs -o size=${SMALL_DISK_BYTES} none "${disk}"`,
      pull(""),
      pull("unchecked"),
      `mount -o remount,size=${4 * this.#content.byteLength} "${disk}"`,
      pull("unchecked"),
      `sha256sum "${disk}/models/blobs/sha256-${this.#hash}"`,
    ].join("\n");
    const child = spawn("unshare", ["--map-root-user", "--mount", "sh", "-c", script], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    let problems = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      problems += chunk;
    });
    await once(child, "close");
    const [early = "", middle = "", last = "", hash = ""] = text.split("\n");
    const isFull = (line: string): boolean => line.includes('"code":"CHORALE_PULL_DISK"');
    const isRight =
      isFull(early) &&
      isFull(middle) &&
      last.startsWith('{"receivedBytes":') &&
      hash.startsWith(this.#hash);
    if (isFull(middle)) this.#count(this.errors, "CHORALE_PULL_DISK");
    if (!isRight) this.problems.push(`on a small disk: ${text}${problems}`);
  }

  async #restart(): Promise<void> {
    await wait(20 + this.#random() * 100);
    this.counts.restarts++;
    await this.#registry.restart(this.#random() * 60);
  }

  #anyFault(): Fault | undefined {
    if (this.#random() >= FAULT_RATE) return undefined;
    const at = Math.floor(this.#random() * PIECE);
    const all: readonly Fault[] = [
      { kind: "cut", after: at },
      { kind: "cut", after: 0 },
      { kind: "slow", ms: 1 },
      { kind: "wrong range" },
      { kind: "wrong bytes" },
      { kind: "no ranges" },
      { kind: "status", status: 503, retryAfter: "0" },
      { kind: "status", status: 429 },
      { kind: "status", status: 404 },
    ];
    // A wrong byte is rare, and costs the whole file; a file that is gone ends the pull.
    const fault = all[Math.floor(this.#random() * all.length)];
    const isRare =
      fault?.kind === "wrong bytes" || (fault?.kind === "status" && fault.status === 404);
    if (fault === undefined || (isRare && this.#random() < 0.7)) return undefined;
    this.#count(this.faults, fault.kind);
    return fault;
  }

  /** @returns whether it ended well; an error without a code of ours is a problem */
  async #pull(): Promise<boolean> {
    const client = new StreamClient({ trustedHosts: [new URL(this.#registry.url).host] });
    try {
      await pullModel(NAME, {
        store: this.#store,
        get: (request) => client.get(request),
        endpoint: this.#registry.url,
        pieceBytes: PIECE,
        retryMs: 4,
      });
      this.#check();
      return true;
    } catch (error) {
      if (!(error instanceof ModelStoreError)) this.problems.push(String((error as Error).stack));
      else this.#count(this.errors, error.code);
      if (existsSync(this.#store.blob(this.#hash))) this.#check();
      return false;
    } finally {
      await client[Symbol.asyncDispose]();
    }
  }

  /** Without faults the model comes, whatever was before. Then all of it is taken away. */
  async #mustCome(): Promise<void> {
    this.#registry.fault = () => undefined;
    if (!(await this.#pull())) this.problems.push("a pull without faults has failed");
    const { signal } = new AbortController();
    const removed = await this.#store.remove(parseModelName(NAME), signal);
    if (removed === undefined) this.problems.push("there was nothing to remove");
    const left = ["blobs", "partial"].flatMap((name) => filesIn(join(this.#store.root, name)));
    if (left.length > 0) this.problems.push(`removing has left ${left.join(", ")}`);
    for (const path of left) rmSync(path, { force: true });
  }

  /** The blob has the right bytes, and the model opens. */
  #check(): void {
    const path = this.#store.blob(this.#hash);
    if (sha256(readFileSync(path)) !== this.#hash) this.problems.push("a blob has wrong bytes");
    const model = this.#store.find(parseModelName(NAME));
    if (model !== undefined) openCheckpoint(model.path).close();
  }

  #child(store: string, count: string): ReturnType<typeof spawn> {
    const entry = join(import.meta.dirname, "pull-child.ts");
    const args = [entry, store, this.#registry.url, NAME, String(PIECE), count];
    return spawn(process.execPath, args, { stdio: "ignore" });
  }

  #count(counts: Record<string, number>, name: string): void {
    counts[name] = (counts[name] ?? 0) + 1;
  }
}

function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** A model that opens, with bytes behind it that make it as large as several pieces. */
function modelOf(random: () => number): Uint8Array {
  const size = { ...TINY, swigluLimit: 7 };
  const model = makeGguf(size, randomWeights(size, 5), FORMS.ollamaLater);
  const rest = Uint8Array.from({ length: 5 * PIECE + 12_345 }, () => Math.floor(random() * 256));
  return Buffer.concat([model, rest]);
}

/** Whether a user may mount a disk of her own. */
function canMount(): boolean {
  try {
    const script = "mount -t tmpfs -o size=1m none /mnt";
    execFileSync("unshare", ["--map-root-user", "--mount", "sh", "-c", script], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}
