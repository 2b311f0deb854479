/** What reads YAML; bundled into the package (`scripts/bundle.ts`). */

export { CORE_SCHEMA, load, loadAll, YAMLException } from "js-yaml";
