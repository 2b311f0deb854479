/**
 * Memories that kernels work on. A bank is one shared WebAssembly memory; every worker thread binds
 * the kernels to every bank. Addresses mean something only inside their bank.
 */

import { EngineFailedError, formatBytes } from "../errors.ts";
import { type Address, instantiateKernels, type KernelModule, type Kernels } from "./kernels.ts";

/** What is posted to workers; growing it in one thread grows it for all. */
export type BankMemory = WebAssembly.Memory;

const PAGE_BYTES = 1 << 16;
/** All that 32-bit addresses reach. */
export const MAX_BANK_BYTES: number = 2 ** 32;
/** Keeps vector loads inside one cache line. */
const ALIGNMENT = 64;

/**
 * Reserves a memory. The pages of the operating system are taken when first written, not here.
 * @param bytes usable from the start
 * @param maxBytes what `growMemory` may reach
 * @throws EngineFailedError when the address space cannot be had
 */
export function createMemory(bytes: number, maxBytes: number = bytes): BankMemory {
  try {
    return new WebAssembly.Memory({
      initial: Math.ceil(bytes / PAGE_BYTES),
      maximum: Math.ceil(maxBytes / PAGE_BYTES),
      shared: true,
    });
  } catch (cause) {
    throw new EngineFailedError(
      `Cannot reserve a memory of ${formatBytes(maxBytes)}: the system refused. ` +
        "Accepted: a higher limit on address space (ulimit -v), a shorter context or a smaller model.",
      { cause },
    );
  }
}

/**
 * Makes at least `bytes` usable.
 * @throws EngineFailedError when the system refuses
 */
export function growMemory(memory: BankMemory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing <= 0) return;
  try {
    memory.grow(Math.ceil(missing / PAGE_BYTES));
  } catch (cause) {
    throw new EngineFailedError(
      `Cannot grow a memory to ${formatBytes(bytes)}: the system refused. ` +
        "Accepted: a shorter context or more memory.",
      { cause },
    );
  }
}

/** A memory with the kernels bound to it, as one thread sees it. */
export class MemoryBank {
  readonly memory: BankMemory;
  readonly kernels: Kernels;
  /** Views of what the memory held when the bank was bound; later growth is for the kernels. */
  readonly bytes: Uint8Array<ArrayBufferLike>;
  readonly floats: Float32Array<ArrayBufferLike>;
  readonly ints: Int32Array<ArrayBufferLike>;

  constructor(module: KernelModule, memory: BankMemory) {
    this.memory = memory;
    this.kernels = instantiateKernels(module, memory);
    this.bytes = new Uint8Array(memory.buffer);
    this.floats = new Float32Array(memory.buffer);
    this.ints = new Int32Array(memory.buffer);
  }

  /** Copies `count` floats from another bank (or this one). */
  copyFloats(from: MemoryBank, source: Address, target: Address, count: number): void {
    this.floats.set(from.floats.subarray(source >>> 2, (source >>> 2) + count), target >>> 2);
  }
}

/** Hands out addresses of a bank that is being planned, one after the other; frees nothing. */
export class BankAllocator {
  // Address 0 means "none" to the kernels.
  #next = ALIGNMENT;

  /** Bytes handed out so far, alignment included. */
  get byteLength(): number {
    return this.#next;
  }

  allocate(bytes: number): Address {
    const address = this.#next;
    this.#next = alignUp(address + bytes);
    return address;
  }
}

/** The next multiple of the alignment of every allocation. */
export function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
