/** What reads mails and saved pages; bundled into the package (`scripts/bundle.ts`). */

export { default as PostalMime } from "postal-mime";
