import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BUILDS, readProvenance, sha256, sourceHash } from "../../inference/kernels/provenance.ts";
import { compileKernels, KERNEL_NAMES } from "../../inference/wasm/kernels.ts";

const read = (name: string): Buffer =>
  readFileSync(new URL(`../../inference/kernels/${name}`, import.meta.url));

test("the committed builds are of the committed sources", () => {
  expect(readProvenance().sourceSha256).toBe(sourceHash());
});

test.each(BUILDS)("%s is the file that its provenance describes", (name) => {
  expect(sha256(read(name))).toBe(readProvenance().builds[name].sha256);
});

test.each(["relaxed", "wide", "baseline"] as const)(
  "the %s build compiles on this Node",
  (build) => {
    expect(() => compileKernels(build)).not.toThrow();
  },
);

test.each(BUILDS)("%s imports the memory alone and exports the typed kernels alone", (name) => {
  const module = new WebAssembly.Module(new Uint8Array(read(name)));
  expect(WebAssembly.Module.imports(module)).toEqual([
    { module: "env", name: "memory", kind: "memory" },
  ]);
  const exported = WebAssembly.Module.exports(module);
  expect(exported.map((entry) => entry.name)).toEqual([...KERNEL_NAMES].sort());
  expect(exported.every((entry) => entry.kind === "function")).toBe(true);
});

test.each(BUILDS)("%s has no data and no start function: instances share a memory", (name) => {
  const [start, data, dataCount] = [8, 11, 12];
  const sections = sectionIds(read(name));
  for (const id of [start, data, dataCount]) expect(sections).not.toContain(id);
});

/** The ids of a module's sections: each is an id, a length in LEB128, and as many bytes. */
function sectionIds(bytes: Buffer): number[] {
  const ids: number[] = [];
  let at = 8;
  while (at < bytes.length) {
    ids.push(bytes.readUInt8(at++));
    let length = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes.readUInt8(at++);
      length |= (byte & 127) << shift;
      shift += 7;
    } while (byte >= 128);
    at += length;
  }
  return ids;
}
