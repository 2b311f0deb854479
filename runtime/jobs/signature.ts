/** Signature V4 of S3, as this folder uses it; bundled into the package (`scripts/bundle.ts`). */

export { AwsV4Signer } from "aws4fetch";
