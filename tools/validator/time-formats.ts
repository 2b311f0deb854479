/**
 * `time` and `date-time` demand a zone (RFC 3339, section 5.6). Many schemas name the format and forbid
 * the zone by a pattern beside it; then no value would be valid, and what is meant is the time alone.
 */
import { isRecord } from "../core/record.ts";
import { compilePattern } from "./patterns.ts";
import { mapSubschemas, type SchemaObject } from "./schema-keywords.ts";

const CLOCK = /^(?:[01]?\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?$/;
const ZONE = /(?:z|[+-]\d\d(?::?\d\d)?)$/i;
const DATE = /^(\d{4})-(\d\d)-(\d\d)[t ]/i;

/** Formats of our own: a zone may be there or not. */
export const ZONE_OPTIONAL = {
  "time-without-zone": (text: string): boolean => CLOCK.test(text.replace(ZONE, "")),
  "date-time-without-zone": (text: string): boolean => {
    const [whole, year, month, day] = DATE.exec(text) ?? [];
    if (whole === undefined) return false;
    const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
    const isDay = Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1;
    const clock = text.slice(whole.length).replace(ZONE, "");
    return isDay && Number(day) <= last && CLOCK.test(clock);
  },
} as const;

const WITHOUT_ZONE = { time: "time-without-zone", "date-time": "date-time-without-zone" } as const;
type TimeFormat = keyof typeof WITHOUT_ZONE;

/** A value of the format, but for a zone. */
export function lacksOnlyZone(format: string, text: string): boolean {
  return (
    isTimeFormat(format) &&
    ZONE_OPTIONAL[WITHOUT_ZONE[format]](text) &&
    // The hyphens of a date are no offset.
    !ZONE.test(text.replace(DATE, ""))
  );
}

const SAMPLE_CLOCKS = ["06:40:00", "18:05:59", "06:40:00.250", "18:05:59.250000"];
const SAMPLE_ZONES = ["Z", "+02:00", "+0200", "-05:00"];
const LOCAL_ONLY = ["06:40", "18:05", "6:40"];

/** The schema with formats that the patterns beside them leave possible. */
export function withPossibleTimes(
  schema: SchemaObject,
  warn: (message: string) => void,
): SchemaObject {
  const { format, pattern } = schema;
  const isBoth = isTimeFormat(format) && typeof pattern === "string";
  const changed = isBoth ? withoutZone(schema, format, pattern, warn) : schema;
  return mapSubschemas(changed, "", (child) =>
    isRecord(child) ? withPossibleTimes(child, warn) : child,
  );
}

function withoutZone(
  schema: SchemaObject,
  format: TimeFormat,
  pattern: string,
  warn: (message: string) => void,
): SchemaObject {
  let regExp: RegExp;
  try {
    regExp = compilePattern(pattern).regExp;
  } catch {
    // The compiler refuses the pattern itself.
    return schema;
  }
  const begin = format === "time" ? [""] : ["2026-05-01T", "2026-05-01 ", "1999-12-31T"];
  const matches = (clock: string): boolean => begin.some((date) => regExp.test(date + clock));
  if (SAMPLE_CLOCKS.some((clock) => SAMPLE_ZONES.some((zone) => matches(clock + zone)))) {
    return schema;
  }
  if ([...SAMPLE_CLOCKS, ...LOCAL_ONLY].some(matches)) {
    warn(`The pattern ${pattern} forbids the zone that ${format} demands; it may be left out.`);
    return { ...schema, format: WITHOUT_ZONE[format] };
  }
  warn(`The format ${format} is not enforced where the pattern ${pattern} stands beside it.`);
  const { format: _, ...rest } = schema;
  return rest;
}

function isTimeFormat(format: unknown): format is TimeFormat {
  return typeof format === "string" && Object.hasOwn(WITHOUT_ZONE, format);
}
