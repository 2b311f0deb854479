import {
  type Address,
  type AnyKernelBuild,
  compileKernels,
  instantiateKernels,
  type Kernels,
} from "../../inference/wasm/kernels.ts";
import { BankAllocator, createMemory } from "../../inference/wasm/memory-bank.ts";

type Data =
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Int8Array
  | Uint8Array
  | Uint16Array;

export const BUILDS: readonly AnyKernelBuild[] = ["relaxed", "wide", "baseline"];

/** A value that no kernel computes, to find writes beyond the end of a result. */
const UNTOUCHED = 12345.6789;

const modules = new Map(BUILDS.map((build) => [build, compileKernels(build)]));

/** A memory with one build of the kernels; arrays are put in and results read back. */
export class KernelMemory {
  readonly kernels: Kernels;
  readonly #bytes: Uint8Array;
  #allocator = new BankAllocator();

  constructor(build: AnyKernelBuild, bytes: number = 16 << 20) {
    const memory = createMemory(bytes);
    this.kernels = instantiateKernels(modules.get(build) ?? compileKernels(build), memory);
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** Forgets all arrays. */
  reset(): void {
    this.#allocator = new BankAllocator();
  }

  put(data: Data): Address {
    const address = this.reserve(data.byteLength);
    this.#bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
    return address;
  }

  reserve(bytes: number): Address {
    const address = this.#allocator.allocate(bytes);
    if (address + bytes > this.#bytes.length) throw new Error("the test's memory is too small");
    return address;
  }

  /** Room for `count` floats, with a guard behind it that `floats` looks at. */
  result(count: number): Address {
    return this.put(new Float32Array(count + 8).fill(UNTOUCHED));
  }

  /** @throws when something was written behind the `count` floats of a `result` */
  floats(address: Address, count: number): Float32Array {
    const values = new Float32Array(this.bytes(address, (count + 8) * 4).buffer);
    const guard = values.subarray(count);
    if (guard.some((value) => value !== Math.fround(UNTOUCHED))) {
      throw new Error(`written beyond ${count} results: ${guard}`);
    }
    return values.slice(0, count);
  }

  bytes(address: Address, count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes.subarray(address, address + count));
  }
}

/** f32 values around 0, roughly normal, of different magnitudes. */
export function randomFloats(count: number, random: () => number, scale = 1): Float32Array {
  const sum = (): number => random() + random() + random() - 1.5;
  return Float32Array.from({ length: count }, () => 2 * scale * sum());
}

/** The first index at which two results differ in any bit, -1 when they do not. */
export function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).findIndex((value, i) => !Object.is(value, b[i]));
}
