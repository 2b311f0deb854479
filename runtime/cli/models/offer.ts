/** What a person who has named no model is told: which ones are here, or which would fit. Nothing is fetched unasked. */
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { availableMemory } from "../../../inference/index.ts";
import { listModels, modelStore } from "../../index.ts";
import { bytesText } from "./transfer-progress.ts";

export type OfferFacts = {
  /** Full names of models on this machine. */
  readonly models: readonly string[];
  /** Bytes that are available. */
  readonly memory: number;
  /** Free bytes where models are kept. */
  readonly disk: number;
};

type KnownModel = {
  readonly name: string;
  /** Of its files. */
  readonly downloadBytes: number;
  /** With a context of 16,384 tokens, everything in memory. */
  readonly memoryBytes: number;
  /** With most of the experts on the disk, at a tenth of the speed. */
  readonly leastMemoryBytes: number;
};

const GIB = 2 ** 30;
/** The largest first. Sizes of the published files; memory as `chorale show` says it of such files. */
const KNOWN: readonly KnownModel[] = [
  {
    name: "gpt-oss:120b",
    downloadBytes: 65.4e9,
    memoryBytes: 62 * GIB,
    leastMemoryBytes: Number.POSITIVE_INFINITY,
  },
  {
    name: "gpt-oss:20b",
    downloadBytes: 13.8e9,
    memoryBytes: 13 * GIB,
    leastMemoryBytes: 6 * GIB,
  },
];
/** Free beyond the files, so that a pull does not fill the disk. */
const DISK_MARGIN_BYTES = GIB;
const MOST_SHOWN = 5;

/** One sentence; null where nothing fits. */
export function modelOffer({ models, memory, disk }: OfferFacts): string | null {
  if (models.length > 0) {
    const shown = models.slice(0, MOST_SHOWN).join(", ");
    const more = models.length > MOST_SHOWN ? ` and ${models.length - MOST_SHOWN} more` : "";
    return `On this machine there are ${shown}${more}: chorale --model ${models[0]}`;
  }
  const onDisk = KNOWN.filter(({ downloadBytes }) => downloadBytes + DISK_MARGIN_BYTES <= disk);
  const whole = onDisk.find(({ memoryBytes }) => memoryBytes <= memory);
  if (whole !== undefined) {
    return (
      `${whole.name} (${bytesText(whole.downloadBytes)}) fits into the memory and onto the disk of this ` +
      `machine: chorale pull ${whole.name}`
    );
  }
  const part = onDisk.find(({ leastMemoryBytes }) => leastMemoryBytes <= memory);
  if (part === undefined) return null;
  return (
    `${part.name} (${bytesText(part.downloadBytes)}) fits onto the disk of this machine, and with ` +
    `--memory ${Math.floor(memory / GIB)}G most of it is read from there, slowly: chorale pull ${part.name}`
  );
}

/** What `modelOffer` needs to know of this machine. */
export function offerFacts(env: NodeJS.ProcessEnv): OfferFacts {
  const models = [...new Set(listModels(env).map(({ text }) => text))];
  return { models, memory: availableMemory(), disk: freeBytes(modelStore(env).root) };
}

/** Of the disk on which a folder is, or would be made. */
function freeBytes(folder: string): number {
  let found = folder;
  while (!existsSync(found) && dirname(found) !== found) found = dirname(found);
  const { bavail, bsize } = statfsSync(found);
  return bavail * bsize;
}
