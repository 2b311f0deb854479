/** A task of the worker pool that behaves as it is told to. */
export default function task({ do: what, value }: { do: string; value?: unknown }): unknown {
  switch (what) {
    case "spin":
      for (;;);
    case "fail":
      throw new Error(String(value));
    case "die":
      process.exit(3);
      break;
    case "hoard": {
      const kept: unknown[] = [];
      for (;;) kept.push(new Array(2_000_000).fill(kept.length + 0.5));
    }
  }
  return value;
}
