/** Units of measurement, by what they measure, and the words for large numbers. */

export type Unit = {
  /** Quantities of one dimension can be compared. */
  readonly dimension: string;
  /** The value in the base unit is `value * factor + offset`. */
  readonly factor: number;
  readonly offset: number;
};

type Row = readonly [dimension: string, ...units: (readonly [names: string, factor: number])[]];

/** Names of one unit, separated by spaces. Case matters only where two units differ in it alone. */
const TABLE: readonly Row[] = [
  [
    "length",
    ["nm nanometer nanometers nanometre nanometres", 1e-9],
    ["µm μm micrometer micrometers micrometre micrometres micron microns mikrometer", 1e-6],
    ["mm millimeter millimeters millimetre millimetres", 1e-3],
    ["cm centimeter centimeters centimetre centimetres zentimeter", 1e-2],
    ["m meter meters metre metres metern", 1],
    ["km kilometer kilometers kilometre kilometres kilometern", 1e3],
    ["inch inches zoll", 0.0254],
    ["ft foot feet fuss", 0.3048],
    ["yd yard yards", 0.9144],
    ["mi mile miles meile meilen", 1609.344],
  ],
  [
    "area",
    ["m² m2 sqm quadratmeter", 1],
    ["km² km2 quadratkilometer", 1e6],
    ["ha hectare hectares hektar", 1e4],
    ["acre acres", 4046.8564224],
  ],
  [
    "volume",
    ["ml milliliter milliliters millilitre millilitres", 1e-3],
    ["cl centiliter centilitre zentiliter", 1e-2],
    ["l liter liters litre litres litern", 1],
    ["hl hectoliter hektoliter", 100],
    ["m³ m3 cbm kubikmeter", 1e3],
    ["gal gallon gallons", 3.785411784],
  ],
  [
    "mass",
    ["mg milligram milligrams milligramm", 1e-6],
    ["g gram grams gramm gramme", 1e-3],
    ["kg kilo kilos kilogram kilograms kilogramm", 1],
    ["t tonne tonnes ton tons tonnen", 1e3],
    ["lb lbs pound pounds pfund", 0.45359237],
    ["oz ounce ounces unze unzen", 0.028349523125],
  ],
  [
    "time",
    ["µs μs microsecond microseconds mikrosekunden", 1e-6],
    ["ms millisecond milliseconds millisekunde millisekunden", 1e-3],
    ["s sec secs second seconds sek sekunde sekunden seconde secondes segundos", 1],
    ["min mins minute minutes minuten minutos", 60],
    ["h hr hrs hour hours std stunde stunden heure heures horas", 3600],
    ["d day days tag tage tagen jour jours días", 86_400],
    ["week weeks woche wochen semaine semaines semanas", 604_800],
  ],
  ["months", ["month months monat monate monaten mois meses", 1]],
  [
    "years",
    ["year years yr yrs jahr jahre jahren an ans année années año años", 1],
    ["decade decades jahrzehnt jahrzehnte", 10],
    ["century centuries jahrhundert jahrhunderte siècle siècles", 100],
  ],
  [
    "data",
    ["bit bits", 0.125],
    ["byte bytes B", 1],
    ["kb kilobyte kilobytes", 1e3],
    ["mb megabyte megabytes", 1e6],
    ["gb gigabyte gigabytes", 1e9],
    ["tb terabyte terabytes", 1e12],
    ["kib", 1024],
    ["mib", 1024 ** 2],
    ["gib", 1024 ** 3],
    ["tib", 1024 ** 4],
  ],
  [
    "pressure",
    ["pa pascal", 1],
    ["hpa hektopascal mbar millibar", 100],
    ["kpa kilopascal", 1e3],
    ["mpa megapascal", 1e6],
    ["bar bars", 1e5],
    ["psi", 6894.757],
    ["atm", 101_325],
  ],
  [
    "speed",
    ["m/s", 1],
    ["km/h kmh kph", 1 / 3.6],
    ["mph", 0.44704],
    ["knot knots kn knoten", 0.514444],
  ],
  [
    "power",
    ["mW milliwatt", 1e-3],
    ["W watt watts", 1],
    ["kw kilowatt kilowatts", 1e3],
    ["MW megawatt megawatts", 1e6],
    ["gw gigawatt gigawatts", 1e9],
    ["hp", 745.7],
    ["ps pferdestärken", 735.49875],
  ],
  [
    "energy",
    ["J joule joules", 1],
    ["kj kilojoule kilojoules", 1e3],
    ["wh", 3600],
    ["kwh kilowattstunden", 3.6e6],
    ["mwh", 3.6e9],
    ["kcal", 4184],
  ],
  ["voltage", ["mV millivolt", 1e-3], ["V volt volts", 1], ["kv kilovolt", 1e3]],
  ["current", ["mA milliampere", 1e-3], ["A ampere amp amps", 1]],
  [
    "frequency",
    ["hz hertz", 1],
    ["khz kilohertz", 1e3],
    ["mhz megahertz", 1e6],
    ["ghz gigahertz", 1e9],
    ["rpm", 1 / 60],
  ],
  [
    "share",
    ["% percent per\u00a0cent prozent pct ％ pourcent pourcents procent", 1],
    ["‰ promille permille", 0.1],
  ],
  ["angle", ["° degree degrees grad", 1]],
  ["EUR", ["€ eur euro euros", 1], ["cent cents", 0.01]],
  ["USD", ["$ usd us$ dollar dollars", 1]],
  ["GBP", ["£ gbp", 1]],
  ["JPY", ["¥ jpy yen", 1]],
  ["CHF", ["chf franken sfr", 1]],
];

const UNITS = new Map<string, Unit>();
for (const [dimension, ...units] of TABLE) {
  for (const [names, factor] of units) {
    for (const name of names.split(" ")) {
      UNITS.set(name.replace("\u00a0", " "), { dimension, factor, offset: 0 });
    }
  }
}
const TEMPERATURES: readonly (readonly [string, Unit])[] = [
  ["°c celsius ℃", { dimension: "temperature", factor: 1, offset: 0 }],
  ["°f fahrenheit ℉", { dimension: "temperature", factor: 5 / 9, offset: -160 / 9 }],
  ["kelvin", { dimension: "temperature", factor: 1, offset: -273.15 }],
];
for (const [names, unit] of TEMPERATURES) {
  for (const name of names.split(" ")) UNITS.set(name, unit);
}

/** Longest first, so that `km/h` is not read as `km`. */
export const UNIT_NAMES: readonly string[] = [...UNITS.keys(), "°C", "°F"].toSorted(
  (a, b) => b.length - a.length,
);

/** @returns undefined for what is no unit */
export function unitOf(name: string): Unit | undefined {
  const spaced = name.replace(/\s+/g, " ");
  return UNITS.get(spaced) ?? UNITS.get(spaced.toLowerCase());
}

/** Words behind a number → by what they multiply it. Of two, either may be meant. */
export const MAGNITUDES: ReadonlyMap<string, readonly number[]> = new Map<
  string,
  readonly number[]
>([
  ["hundred", [100]],
  ["hundert", [100]],
  ["dozen", [12]],
  ["dutzend", [12]],
  ["thousand", [1e3]],
  ["tausend", [1e3]],
  ["tsd", [1e3]],
  ["mille", [1e3]],
  ["mil", [1e3]],
  ["k", [1e3]],
  ["million", [1e6]],
  ["millions", [1e6]],
  ["millionen", [1e6]],
  ["millones", [1e6]],
  ["mio", [1e6]],
  ["mn", [1e6]],
  ["m", [1e6, 1]],
  ["milliard", [1e9]],
  ["milliards", [1e9]],
  ["milliarde", [1e9]],
  ["milliarden", [1e9]],
  ["mrd", [1e9]],
  ["bn", [1e9]],
  ["b", [1e9, 1]],
  // In German and French a billion has three zeros more.
  ["billion", [1e9, 1e12]],
  ["billions", [1e9, 1e12]],
  ["billionen", [1e12]],
  ["trillion", [1e12, 1e18]],
  ["tn", [1e12]],
  ["lakh", [1e5]],
  ["crore", [1e7]],
  ["千", [1e3]],
  ["万", [1e4]],
  ["萬", [1e4]],
  ["億", [1e8]],
  ["亿", [1e8]],
]);
