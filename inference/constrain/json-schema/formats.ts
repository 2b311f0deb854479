/**
 * The formats of strings as regular expressions. Each text that they match is accepted by the validator; where
 * a format of the validator has more texts, `narrower` says which are left out.
 */
import type { Regex } from "../grammar.ts";
import { patternLanguage } from "./pattern.ts";

export type Format = {
  readonly language: Regex;
  /** What the validator accepts besides; undefined: nothing. */
  readonly narrower?: string;
};

type Source = { readonly pattern: string; readonly narrower?: string };

const DAY_31 = "(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])";
const DAY_30 = "(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)";
const FEBRUARY = "02-(?:0[1-9]|1\\d|2[0-8])";
const LEAP_YEAR = "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
/** RFC 3339, section 5.6, with the days of each month. */
const DATE = `(?:\\d{4}-(?:${DAY_31}|${DAY_30}|${FEBRUARY})|${LEAP_YEAR}-02-29)`;
const HOUR = "(?:[01]\\d|2[0-3])";
const CLOCK = `(?:${HOUR}:[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?)`;
const ZONE = `(?:[zZ]|[+-]${HOUR}(?::?[0-5]\\d)?)`;
const TIME_LIMITS = "leap seconds, more than 9 digits of a second";
const DATE_TIME_LIMITS = `${TIME_LIMITS}, a tab or line break between date and time`;

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = `(?:${OCTET}(?:\\.${OCTET}){3})`;
const GROUP = "[0-9a-fA-F]{1,4}";

/** RFC 4291, section 2.2: eight groups, of which a run may be `::` and the last two an IPv4 address. */
function ipv6(): string {
  const options = [`(?:${GROUP}:){7}${GROUP}`, `(?:${GROUP}:){7}:`, `(?:${GROUP}:){6}${IPV4}`];
  for (let before = 6; before >= 0; before--) {
    const head = before === 0 ? ":" : `(?:${GROUP}:){${before}}`;
    const most = 7 - before;
    options.push(`${head}(?:(?::${GROUP}){1,${most}}|:)`);
    if (before < 6) options.push(`${head}(?::${GROUP}){0,${5 - before}}:${IPV4}`);
  }
  return `(?:${options.join("|")})`;
}

const PERCENT = "%[0-9a-f]{2}";
const PCHAR = `(?:[a-z0-9\\-._~!$&'()*+,;=:@]|${PERCENT})`;
/** RFC 3986, appendix A. */
const AUTHORITY =
  `(?:(?:[a-z0-9\\-._~!$&'()*+,;=:]|${PERCENT})*@)?` +
  `(?:\\[${ipv6()}\\]|(?:[a-z0-9\\-._~!$&'()*+,;=]|${PERCENT})*)(?::\\d*)?`;
const QUERY = `(?:\\?(?:${PCHAR}|[/?])*)?`;
const FRAGMENT = `(?:#(?:${PCHAR}|[/?])*)?`;
const HIERARCHY = `(?://${AUTHORITY}(?:/${PCHAR}*)*|/(?:${PCHAR}+(?:/${PCHAR}*)*)?|${PCHAR}+(?:/${PCHAR}*)*)`;
const SCHEME = "[a-z][a-z0-9+\\-.]*:";

const ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~\\-]+";
const MAIL_LABEL = "[a-z0-9](?:[a-z0-9\\-]*[a-z0-9])?";
const HOST_LABEL = "[a-z0-9](?:[a-z0-9\\-]{0,61}[a-z0-9])?";
const URL_LABEL = "(?:[a-z0-9]+-)*[a-z0-9]+";
const POINTER = "(?:/(?:[^~/]|~[01])*)*";
const VARIABLE = `(?:[a-z0-9_]|${PERCENT})+(?::[1-9]\\d{0,3}|\\*)?`;

const SOURCES: Readonly<Record<string, Source>> = {
  date: { pattern: DATE },
  time: { pattern: `${CLOCK}${ZONE}`, narrower: TIME_LIMITS },
  "date-time": { pattern: `${DATE}[tT ]${CLOCK}${ZONE}`, narrower: DATE_TIME_LIMITS },
  "iso-time": { pattern: `${CLOCK}${ZONE}?`, narrower: TIME_LIMITS },
  "iso-date-time": { pattern: `${DATE}[tT ]${CLOCK}${ZONE}?`, narrower: DATE_TIME_LIMITS },
  duration: {
    pattern:
      "P(?:(?=[\\dT])(?:\\d{1,9}Y)?(?:\\d{1,9}M)?(?:\\d{1,9}D)?" +
      "(?:T(?=\\d)(?:\\d{1,9}H)?(?:\\d{1,9}M)?(?:\\d{1,9}S)?)?|\\d{1,9}W)",
    narrower: "numbers of more than 9 digits",
  },
  uuid: { pattern: "(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}" },
  email: { pattern: `${ATOM}(?:\\.${ATOM})*@(?:${MAIL_LABEL}\\.)+${MAIL_LABEL}` },
  hostname: { pattern: `(?=.{1,253}\\.?$)${HOST_LABEL}(?:\\.${HOST_LABEL})*\\.?` },
  ipv4: { pattern: IPV4 },
  ipv6: { pattern: ipv6() },
  uri: {
    pattern: `${SCHEME}${HIERARCHY}${QUERY}${FRAGMENT}`,
    narrower: "hosts that are IP addresses of a future version",
  },
  "uri-reference": {
    pattern: `(?:${SCHEME})?${HIERARCHY}?${QUERY}${FRAGMENT}`,
    narrower: "hosts that are IP addresses of a future version, a double quote",
  },
  "uri-template": {
    pattern:
      `(?:[^\\x00-\\x20"'<>%\\\\^\`{|}]|${PERCENT}|` +
      `\\{[+#./;?&=,!@|]?${VARIABLE}(?:,${VARIABLE})*\\})*`,
  },
  url: {
    pattern: `(?:https?|ftp)://${URL_LABEL}(?:\\.${URL_LABEL})*\\.[a-z]{2,}(?::\\d{2,5})?(?:/\\S*)?`,
    narrower: "users, IP addresses and names with other letters than those of ASCII",
  },
  "json-pointer": { pattern: POINTER },
  "relative-json-pointer": { pattern: `(?:0|[1-9]\\d*)(?:#|${POINTER})` },
  "json-pointer-uri-fragment": {
    pattern: `#(?:/(?:[a-z0-9_\\-.!$&'()*+,;:=@]|${PERCENT}|~[01])*)*`,
  },
  byte: {
    pattern: "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    narrower: "several lines",
  },
};

/** Formats whose letters count in one case only, as they are written above. */
const EXACT_CASE: ReadonlySet<string> = new Set([
  ..."date time date-time iso-time iso-date-time duration ipv4 ipv6 byte".split(" "),
  ..."json-pointer relative-json-pointer".split(" "),
]);

const known = new Map<string, Format>();

/** Undefined: there is no format of that name here. */
export function formatLanguage(name: string): Format | undefined {
  if (!Object.hasOwn(SOURCES, name)) return undefined;
  const found = known.get(name);
  if (found !== undefined) return found;
  const { pattern, narrower } = SOURCES[name] as Source;
  const language = patternLanguage(`^(?:${pattern})$`, !EXACT_CASE.has(name));
  const format: Format = { language, ...(narrower !== undefined && { narrower }) };
  known.set(name, format);
  return format;
}

/** Formats that any string has. */
export const FREE_FORMATS: ReadonlySet<string> = new Set(["password", "binary"]);

/** Formats of numbers, which say nothing about strings. */
export const NUMBER_FORMATS: ReadonlySet<string> = new Set(["int32", "int64", "float", "double"]);
