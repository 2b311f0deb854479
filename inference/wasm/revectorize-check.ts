/** Every kernel with revectorization and without, on the same bytes: prints a `RevectorizeReport`. */

import { setFlagsFromString } from "node:v8";
import {
  type Address,
  ATTENTION_COLUMNS,
  attentionScratchFloats,
  BLOCK,
  compileKernels,
  FLOAT_BYTES,
  I16_BYTES,
  instantiateKernels,
  type Kernels,
  KV_PAGE,
  MXFP4_F32_SCRATCH_BYTES,
  MXFP4_I8_SCRATCH_BYTES,
  MXFP4_OFFSET,
  MXFP4_RECORD_BYTES,
  Q8_OFFSET,
  Q8_RECORD_BYTES,
  ROW_GROUP,
  SCREEN_DITHERS,
  SCREEN_RECORD_BYTES,
  SCREEN_TERMS_BYTES,
} from "./kernels.ts";
import { BankAllocator, createMemory } from "./memory-bank.ts";
import { REVECTORIZE_FLAG, type RevectorizeReport } from "./revectorize.ts";

/** No multiples of one another, so that every remainder of a loop is met. */
const ROWS = 24;
const BLOCKS = 7;
const WIDTH = BLOCKS * BLOCK;
const COLUMNS = 64;
const COLUMN_COUNTS = [1, 2, 3, 4, 5, 7, COLUMNS];
const HEAD = 64;
const GROUP = 8;
const POSITIONS = 150;
const ROUNDS = 5;

class Range {
  readonly #kernels: Kernels;
  readonly #bytes: Uint8Array;
  readonly #allocator = new BankAllocator();
  readonly #at: Readonly<Record<string, Address>>;

  constructor(module: WebAssembly.Module) {
    const floats = (count: number): Address => this.#allocator.allocate(count * FLOAT_BYTES);
    const bytes = (count: number): Address => this.#allocator.allocate(count);
    const pageFloats = 2 * HEAD * KV_PAGE + 2 * KV_PAGE;
    this.#at = {
      w: floats(ROWS * WIDTH),
      bf16: bytes(ROWS * WIDTH * 2),
      q8: bytes((ROWS / ROW_GROUP) * BLOCKS * Q8_RECORD_BYTES),
      mxfp4: bytes((ROWS / ROW_GROUP) * BLOCKS * MXFP4_RECORD_BYTES),
      screen: bytes((ROWS / ROW_GROUP) * BLOCKS * SCREEN_RECORD_BYTES),
      dither: bytes(WIDTH),
      terms: bytes(BLOCKS * SCREEN_TERMS_BYTES),
      x: floats(COLUMNS * WIDTH),
      i8: bytes(COLUMNS * WIDTH),
      i16: bytes(COLUMNS * WIDTH * I16_BYTES),
      scales: floats(COLUMNS * BLOCKS),
      starts: floats(COLUMNS * BLOCKS),
      bias: floats(ROWS),
      y: floats(12 * COLUMNS * ROWS),
      scratch: bytes(BLOCKS * Math.max(MXFP4_I8_SCRATCH_BYTES, MXFP4_F32_SCRATCH_BYTES)),
      q: floats(ATTENTION_COLUMNS * GROUP * HEAD),
      cos: floats(HEAD),
      sin: floats(HEAD),
      pages: floats(3 * pageFloats),
      pagesI16: floats(3 * pageFloats),
      table: floats(3),
      sinks: floats(GROUP),
      z: floats(2 * ATTENTION_COLUMNS * GROUP * HEAD),
      attention: floats(attentionScratchFloats(GROUP, HEAD)),
      ids: floats(ROWS * COLUMNS),
      weights: floats(ROWS),
    };
    const memory = createMemory(this.#allocator.byteLength);
    this.#kernels = instantiateKernels(module, memory);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#fill(memory);
  }

  /** The same numbers in every range. */
  #fill(memory: WebAssembly.Memory): void {
    let state = 1;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 31 - 1;
    };
    const floats = new Float32Array(memory.buffer);
    const put = (at: Address, count: number, value: () => number): void => {
      for (let i = 0; i < count; i++) floats[at / FLOAT_BYTES + i] = value();
    };
    const { w, x, bias, q, cos, sin, sinks, table, mxfp4, bf16, dither } = this.#at;
    put(w!, ROWS * WIDTH, random);
    put(x!, COLUMNS * WIDTH, () => 3 * random());
    put(bias!, ROWS, random);
    put(q!, ATTENTION_COLUMNS * GROUP * HEAD, random);
    put(cos!, HEAD, random);
    put(sin!, HEAD, random);
    put(sinks!, GROUP, random);
    new Int32Array(memory.buffer).set([2, 0, 1], table! / FLOAT_BYTES);
    const records = (ROWS / ROW_GROUP) * BLOCKS;
    for (let i = 0; i < records * MXFP4_RECORD_BYTES; i++) {
      const isScale = i % MXFP4_RECORD_BYTES < ROW_GROUP;
      this.#bytes[mxfp4! + i] = isScale ? 120 + (i % 7) : Math.floor(128 * (random() + 1));
    }
    const halves = new Uint16Array(memory.buffer);
    const bits = new Uint32Array(memory.buffer);
    for (let i = 0; i < ROWS * WIDTH; i++) halves[bf16! / 2 + i] = bits[w! / 4 + i]! >>> 16;
    for (let i = 0; i < WIDTH; i++) this.#bytes[dither! + i] = (i * 5) % SCREEN_DITHERS;
  }

  /** All kernels, each on what those before left. @returns everything that is in the memory then */
  runAll(): Uint8Array {
    const k = this.#kernels;
    const at = this.#at as Readonly<Record<string, number>>;
    const [w, x, y] = [at["w"]!, at["x"]!, at["y"]!];
    const column = (name: string, c: number, bytes: number): Address => at[name]! + c * bytes;
    let out = y;
    k.q8_pack(w, at["q8"]!, ROWS, BLOCKS);
    for (const [offset, i16] of [
      [MXFP4_OFFSET, 0],
      [Q8_OFFSET, at["i16"]!],
    ] as const) {
      for (let c = 0; c < COLUMNS; c++) {
        k.quantise_i8(
          column("x", c, WIDTH * FLOAT_BYTES),
          BLOCKS,
          column("i8", c, WIDTH),
          column("scales", c, BLOCKS * FLOAT_BYTES),
          column("starts", c, BLOCKS * FLOAT_BYTES),
          offset,
          i16 === 0 ? 0 : column("i16", c, WIDTH * I16_BYTES),
        );
      }
      for (const columns of COLUMN_COUNTS) {
        this.#product(offset === Q8_OFFSET ? "q8" : "mxfp4", columns, out);
        out = columns === COLUMNS ? out + COLUMNS * ROWS * FLOAT_BYTES : out;
        k.add_scaled(y + 6 * COLUMNS * ROWS * FLOAT_BYTES, y, 0.37, ROWS * columns);
      }
    }
    for (const columns of COLUMN_COUNTS) {
      k.f32_matmul(w, ROWS, WIDTH, x, columns, at["bias"]!, out, ROWS);
      k.bf16_matmul(at["bf16"]!, ROWS, WIDTH, x, columns, 0, out + ROWS * FLOAT_BYTES, 2 * ROWS);
      const exact = out + 3 * COLUMNS * ROWS * FLOAT_BYTES;
      const scratch = at["scratch"]!;
      k.mxfp4_matmul_f32(at["mxfp4"]!, ROWS, BLOCKS, x, 0, columns, 0, exact, ROWS, scratch);
    }
    k.rms_norm(x, w, at["z"]!, WIDTH, 1e-5);
    k.rope(at["q"]!, GROUP, HEAD / 2, at["cos"]!, at["sin"]!);
    k.swiglu(w, at["z"]! + GROUP * HEAD * FLOAT_BYTES, HEAD, 7, 1.702);
    this.#attend();
    k.screen_pack(at["q8"]!, at["dither"]!, at["screen"]!, ROWS / ROW_GROUP, BLOCKS);
    k.screen_terms(at["i8"]!, at["scales"]!, at["dither"]!, BLOCKS, at["terms"]!);
    k.screen_bounds(at["screen"]!, ROWS, BLOCKS, at["i8"]!, at["terms"]!, 60, at["weights"]!);
    k.top_k_softmax(w, ROWS, 4, at["ids"]!, at["weights"]!);
    k.at_least(x, COLUMNS, 0.5, at["ids"]! + 64);
    k.largest(x, COLUMNS * WIDTH);
    return this.#bytes;
  }

  /** Milliseconds of the two products that take the time of a prefill. */
  time(): number {
    const startedAt = performance.now();
    for (let i = 0; i < 10; i++) {
      this.#product("q8", COLUMNS, this.#at["y"]!);
      this.#product("mxfp4", COLUMNS, this.#at["y"]!);
    }
    return performance.now() - startedAt;
  }

  #product(kind: "q8" | "mxfp4", columns: number, out: Address): void {
    const at = this.#at as Readonly<Record<string, number>>;
    const [i8, scales, starts, bias] = [at["i8"]!, at["scales"]!, at["starts"]!, at["bias"]!];
    const { q8_matmul_i8, mxfp4_matmul_i8 } = this.#kernels;
    if (kind === "q8") {
      const i16 = at["i16"]!;
      q8_matmul_i8(at["q8"]!, ROWS, BLOCKS, i8, i16, scales, starts, 0, columns, bias, out, ROWS);
    } else {
      const scratch = at["scratch"]!;
      const w = at["mxfp4"]!;
      mxfp4_matmul_i8(w, ROWS, BLOCKS, i8, scales, starts, 0, columns, 0, out, ROWS, scratch);
    }
  }

  #attend(): void {
    const k = this.#kernels;
    const at = this.#at as Readonly<Record<string, number>>;
    const [q, table, sinks, z] = [at["q"]!, at["table"]!, at["sinks"]!, at["z"]!];
    const stride = 2 * HEAD * KV_PAGE + 2 * KV_PAGE;
    const order = [2, 0, 1];
    for (let position = 0; position < POSITIONS; position++) {
      const page = order[Math.floor(position / KV_PAGE)]! * stride * FLOAT_BYTES;
      const source = at["x"]! + position * HEAD * FLOAT_BYTES;
      const slot = position % KV_PAGE;
      k.kv_store(source, source + 64, at["pages"]! + page, slot, 1, HEAD);
      k.kv_store_i16(source, source + 64, at["pagesI16"]! + page, slot, 1, HEAD);
    }
    for (const [columns, window, end] of [
      [1, POSITIONS, POSITIONS],
      [ATTENTION_COLUMNS, POSITIONS, POSITIONS - ATTENTION_COLUMNS + 1],
      [5, 100, POSITIONS - 4],
      [1, 2, 5],
    ] as const) {
      for (const [attend, pages, out] of [
        [k.attention, at["pages"]!, z],
        [k.attention_i16, at["pagesI16"]!, z + ATTENTION_COLUMNS * GROUP * HEAD * FLOAT_BYTES],
      ] as const) {
        const scratch = at["attention"]!;
        attend(
          q,
          columns,
          GROUP,
          HEAD,
          pages,
          table,
          stride,
          window,
          end,
          0.125,
          sinks,
          out,
          scratch,
        );
      }
    }
  }
}

function check(): RevectorizeReport {
  const plain = new Range(compileKernels());
  // A function is compiled when it is called first, under the flags of that time.
  const expected = Buffer.from(plain.runAll());
  setFlagsFromString(REVECTORIZE_FLAG);
  const wide = new Range(compileKernels("wide"));
  const isSame = expected.equals(wide.runAll());
  const best = { plain: Number.POSITIVE_INFINITY, wide: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    best.plain = Math.min(best.plain, plain.time());
    best.wide = Math.min(best.wide, wide.time());
  }
  return { isSame, gain: best.plain / best.wide };
}

process.stdout.write(JSON.stringify(check()));
