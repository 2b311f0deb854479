/**
 * Files in storage with the protocol of S3. Bucket and place are in one URL, keys only in the environment; each request is
 * signed with the hash of what it carries.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { createGuardedFetch, type GuardedResponse, NetError } from "../../tools/index.ts";
import { UsageError } from "../errors.ts";
import type { ArtifactPlace } from "./artifact-place.ts";
import { AwsV4Signer } from "./signature.ts";

type Keys = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};

type Bucket = {
  readonly bucket: string;
  /** Without a slash at its ends. */
  readonly prefix: string;
  readonly region: string;
  /** Null: that of Amazon. */
  readonly endpoint: URL | null;
};

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z0-9-]{1,40}$/;
const DEFAULT_REGION = "us-east-1";
const LIMITS = { requestBytes: 64 << 20, responseBytes: 1 << 20, timeMs: 120_000, redirects: 0 };
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
/** Characters of what a server says that are shown. */
const LONGEST_REASON = 200;

/** @throws UsageError for an address that is none, and where the environment has no keys */
export function s3Place(where: string, env: NodeJS.ProcessEnv): ArtifactPlace {
  const bucket = bucketOf(where, env);
  const keys = keysOf(env);
  const root = rootOf(bucket);
  const client = createGuardedFetch({
    hosts: [root.host],
    limits: LIMITS,
    // The user named it: it may be on this machine or in the own network.
    allowAddress: () => true,
  });
  const send = async (method: "PUT" | "DELETE", key: string, body?: Buffer): Promise<void> => {
    const url = new URL(`${root.href}${key}`);
    if (url.href !== `${root.href}${key}` || key !== encoded(decoded(key))) {
      // It has parts like .. in one of their forms.
      throw new Error("its name leads to another place");
    }
    for (let attempt = 1; ; attempt++) {
      const answer = await signedRequest(url, { method, body, keys, region: bucket.region })
        .then((request) => client.fetch(url.href, request))
        .catch((error: unknown) => {
          if (!(error instanceof NetError)) throw error;
          return error;
        });
      const problem = problemOf(answer);
      if (problem === null) return;
      if (!problem.passes || attempt >= ATTEMPTS) throw new Error(problem.reason);
      await wait(FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  };
  const asGiven = URL.parse(where)?.search ?? "";
  const base = `s3://${bucket.bucket}/${bucket.prefix === "" ? "" : `${encoded(bucket.prefix)}/`}`;
  return {
    name: base.replace(/\/$/, ""),
    async put(path, key) {
      const name = [...(bucket.prefix === "" ? [] : [bucket.prefix]), ...key].join("/");
      await send("PUT", encoded(name), await readFile(path));
      return `${base}${encoded(key.join("/"))}${asGiven}`;
    },
    async remove(url) {
      const [address = ""] = url.split("?");
      if (!address.startsWith(base)) return;
      await send("DELETE", address.slice(`s3://${bucket.bucket}/`.length));
    },
    close: () => client.close(),
  };
}

function bucketOf(where: string, env: NodeJS.ProcessEnv): Bucket {
  const refused = (found: string, accepted: string): UsageError =>
    new UsageError(
      `The place for artifacts s3://… ${found}; accepted: ${accepted}, as in s3://BUCKET/PREFIX?endpoint=https://HOST&region=NAME.`,
      { option: "artifacts" },
    );
  const url = URL.parse(where);
  if (url === null) throw refused("is no URL", "a URL");
  if (url.username !== "" || url.password !== "") {
    throw refused(
      "has a user name or password",
      "keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY alone",
    );
  }
  if (!BUCKET.test(url.host)) {
    throw refused("names no bucket", "3 to 63 small letters, digits, dots and dashes");
  }
  for (const name of url.searchParams.keys()) {
    if (name !== "endpoint" && name !== "region") {
      throw refused(`has the parameter ${JSON.stringify(name)}`, "endpoint and region");
    }
  }
  const region =
    url.searchParams.get("region") ??
    env["AWS_REGION"] ??
    env["AWS_DEFAULT_REGION"] ??
    DEFAULT_REGION;
  if (!REGION.test(region)) throw refused("has no region", "small letters, digits and dashes");
  const given = url.searchParams.get("endpoint");
  const endpoint = given === null ? null : URL.parse(given);
  if (given !== null) {
    const isPlain = endpoint !== null && /^https?:$/.test(endpoint.protocol);
    if (
      !isPlain ||
      endpoint.username !== "" ||
      endpoint.password !== "" ||
      endpoint.search !== ""
    ) {
      throw refused("has no endpoint that is a URL", "http://HOST:PORT or https://HOST:PORT");
    }
  }
  const prefix = prefixOf(url.pathname);
  if (prefix === null)
    throw refused("has a prefix with the parts . or ..", "names between slashes");
  return { bucket: url.host, prefix, region, endpoint };
}

/** The prefix as its characters; null for one by which a server could leave it. */
function prefixOf(pathname: string): string | null {
  try {
    const parts = decodeURIComponent(pathname)
      .split("/")
      .filter((part) => part !== "");
    return parts.some((part) => part === "." || part === "..") ? null : parts.join("/");
  } catch {
    return null;
  }
}

function keysOf(env: NodeJS.ProcessEnv): Keys {
  const [accessKeyId = "", secretAccessKey = "", sessionToken = ""] = [
    env["AWS_ACCESS_KEY_ID"],
    env["AWS_SECRET_ACCESS_KEY"],
    env["AWS_SESSION_TOKEN"],
  ];
  const missing = [
    ...(accessKeyId === "" ? ["AWS_ACCESS_KEY_ID"] : []),
    ...(secretAccessKey === "" ? ["AWS_SECRET_ACCESS_KEY"] : []),
  ];
  if (missing.length > 0) {
    throw new UsageError(
      `Artifacts in s3:// need the keys of the storage; the environment has no ${missing.join(" and no ")}.`,
      { option: "artifacts" },
    );
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken !== "" && { sessionToken }) };
}

/** The bucket, with a slash at its end. */
function rootOf({ bucket, region, endpoint }: Bucket): URL {
  if (endpoint !== null) {
    return new URL(`${endpoint.href.replace(/\/$/, "")}/${bucket}/`);
  }
  // A name with dots has no certificate as part of a host.
  return bucket.includes(".")
    ? new URL(`https://s3.${region}.amazonaws.com/${bucket}/`)
    : new URL(`https://${bucket}.s3.${region}.amazonaws.com/`);
}

/** As the signature has it: everything but letters, digits and -._~ in hexadecimal. */
function encoded(key: string): string {
  const inHex = (sign: string): string =>
    `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  return key
    .split("/")
    .map((part) => encodeURIComponent(part).replace(/[!'()*]/g, inHex))
    .join("/");
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return "";
  }
}

type Sent = {
  readonly method: "PUT" | "DELETE";
  readonly body: Buffer | undefined;
  readonly keys: Keys;
  readonly region: string;
};

async function signedRequest(url: URL, { method, body, keys, region }: Sent) {
  const hash = createHash("sha256")
    .update(body ?? "")
    .digest("hex");
  const signed = await new AwsV4Signer({
    ...keys,
    method,
    url: url.href,
    service: "s3",
    region,
    headers: { "x-amz-content-sha256": hash },
  }).sign();
  const headers = Object.fromEntries(signed.headers);
  return { method, headers, ...(body !== undefined && { body }) };
}

/** What is wrong with an answer, and whether another attempt may do better; null where all is well. */
function problemOf(
  answer: GuardedResponse | NetError,
): { readonly reason: string; readonly passes: boolean } | null {
  if (answer instanceof NetError) return { reason: answer.message, passes: true };
  const { status, body } = answer;
  if (status >= 200 && status < 300) return null;
  const text = Buffer.from(body.subarray(0, 4_096)).toString();
  const said = ["Code", "Message"]
    .map((name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "")
    .filter((part) => part !== "")
    .join(", ")
    .replace(/\s+/g, " ")
    .slice(0, LONGEST_REASON);
  const reason = `the storage answered ${status}${said === "" ? "" : ` (${said})`}`;
  return { reason, passes: status >= 500 || status === 429 };
}
