/** Preact and htm as the pages use them; bundled into the package (`scripts/bundle.ts`). */

export { default as htm } from "htm";
export {
  type ComponentChild,
  h,
  render,
  type VNode,
} from "preact";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
