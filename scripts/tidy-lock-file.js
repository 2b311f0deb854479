// npm runs this after it has changed node_modules (script `dependencies` of package.json). It removes
// the field `libc` from the lock file: npm 11 writes it for packages that it adds and npm 10 (of
// Node 20 and 22) takes it out again, so a fresh clone would change at its first `npm install`.
// Plain JavaScript, because it also runs on a Node that cannot run TypeScript.
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../package-lock.json", import.meta.url);
const text = readFileSync(file, "utf8");
const lock = JSON.parse(text);
for (const entry of Object.values(lock.packages)) delete entry.libc;
const tidy = `${JSON.stringify(lock, null, 2)}\n`;
if (tidy !== text) writeFileSync(file, tidy);
