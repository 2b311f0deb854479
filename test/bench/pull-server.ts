/** A server of one large file, in a process of its own: bytes of a block again and again, whole or in ranges. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { repeatedBlock } from "./pull-content.ts";

const bytes = Number(process.argv[2]);
const block = repeatedBlock();
const SLICE_BYTES = 1 << 20;

function* slices(start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end; ) {
    const from = at % block.byteLength;
    const slice = block.subarray(from, Math.min(from + SLICE_BYTES, from + end - at));
    at += slice.byteLength;
    yield slice;
  }
}

const server = createServer(({ headers }, response) => {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
  const [start, end] = first === undefined ? [0, bytes] : [Number(first), Number(last) + 1];
  const length = { "content-length": String(end - start) };
  if (first === undefined) response.writeHead(200, length);
  else response.writeHead(206, { ...length, "content-range": `bytes ${first}-${last}/${bytes}` });
  Readable.from(slices(start, end)).pipe(response);
});
server.listen(0, "127.0.0.1", () => {
  console.log((server.address() as AddressInfo).port);
});
