/** Raw model outputs, by what is the matter with them; what becomes of each is in test/golden/answers. */

export const TRIP_SCHEMA: Record<string, unknown> = {
  type: "object",
  additionalProperties: false,
  required: ["city", "days"],
  properties: {
    city: { type: "string", minLength: 1 },
    days: { type: "integer", minimum: 1, maximum: 14 },
    stops: { type: "array", items: { type: "string" } },
    unit: { enum: ["km", "mile"] },
  },
};

const GOOD = '{"city":"Bergen","days":4}';

export const JSON_ANSWERS: Record<string, string> = {
  "as it should be": GOOD,
  "with space around": `\n  ${GOOD}\n`,
  "byte order mark": `\ufeff${GOOD}`,
  "code fence": `\`\`\`json\n${GOOD}\n\`\`\``,
  "code fence on one line": `\`\`\`json ${GOOD}\`\`\``,
  "code fence without its end": `\`\`\`json\n${GOOD}`,
  "prose and code fence": `Here you are:\n\n\`\`\`\n${GOOD}\n\`\`\`\n\nHave a good trip!`,
  "prose before": `The trip you asked for: ${GOOD}`,
  "prose after": `${GOOD}\n\nLet me know if you need more.`,
  "two code blocks": `\`\`\`json\n${GOOD}\n\`\`\`\nor\n\`\`\`json\n{"city":"Oslo","days":1}\n\`\`\``,
  "two values": `${GOOD}\n{"city":"Oslo","days":1}`,
  "two values in prose": `Either ${GOOD} or {"city":"Oslo","days":1}.`,
  "one bracket too many": `${GOOD}]`,
  "a semicolon after": `${GOOD};`,
  "a quote around": `"${GOOD}"`,
  "JSON inside of a string": JSON.stringify(GOOD),
  "wrapped in a list": `[${GOOD}]`,
  "trailing comma in an object": '{"city":"Bergen","days":4,}',
  "trailing comma in a list": '{"city":"Bergen","days":4,"stops":["a",]}',
  "missing comma": '{"city":"Bergen" "days":4}',
  "missing colon": '{"city" "Bergen","days":4}',
  "single quotes": "{'city':'Bergen','days':4}",
  "typographic quotes": "{“city”:“Bergen”,“days”:4}",
  "names without quotes": '{city:"Bergen",days:4}',
  comment: '{"city":"Bergen", // the second city\n"days":4}',
  "Python's None": '{"city":"Bergen","days":4,"unit":None}',
  NaN: '{"city":"Bergen","days":NaN}',
  "part of a broken value is valid": '{"city":None,"days":4,"trip":{"city":"Oslo","days":1}}',
  "leading zero": '{"city":"Bergen","days":04}',
  "plus sign": '{"city":"Bergen","days":+4}',
  "number without digits": '{"city":"Bergen","days":4.}',
  "line break in a string": '{"city":"Ber\ngen","days":4}',
  "escape that is none": '{"city":"Ber\\gen","days":4}',
  "hexadecimal escape that is none": '{"city":"\\u12g4","days":4}',
  "unpaired surrogate": '{"city":"\\ud83d","days":4}',
  "NUL, which is legal": '{"city":"Ber\\u0000gen","days":4}',
  "number too large": '{"city":"Bergen","days":1e999}',
  "number too small": '{"city":"Bergen","days":1e-999}',
  "number with too many digits": '{"city":"Bergen","days":12345678901234567890}',
  "property twice": '{"city":"Bergen","days":4,\n"days":5}',
  "ends in a string": '{"city":"Ber',
  "ends in a number": '{"city":"Bergen","days":4',
  "ends after a name": '{"city"',
  "ends in a list": '{"city":"Bergen","days":4,"stops":["Vo',
  "ends in a literal": '{"city":nul',
  "ends in blanks": `{"city":"Bergen",${"\n".repeat(50)}`,
  "ends, in a code fence": '```json\n{"city":"Bergen","da',
  "ends, after prose": 'The trip: {"city":"Bergen","da',
  "nested without end": "[".repeat(1000),
  "nested too deeply": `${"[".repeat(1000)}${"]".repeat(1000)}`,
  empty: " \n",
  refusal: "I'm sorry, but I can't help with that.",
  YAML: "city: Bergen\ndays: 4",
  XML: "<trip><city>Bergen</city></trip>",
  "garbled start": 'The user says "\n\n \t}',
  "string for a number": '{"city":"Bergen","days":"4"}',
  "out of range": '{"city":"Bergen","days":15}',
  "not whole": '{"city":"Bergen","days":4.5}',
  "misspelt name": '{"city":"Bergen","day":4}',
  "misspelt value": '{"city":"Bergen","days":4,"unit":"miles"}',
  "several mistakes": '{"city":"","days":0,"stops":[1,"a",null],"Unit":"km"}',
  "prototype as a property": '{"city":"Bergen","days":4,"__proto__":{"admin":true}}',
};

export const XSD: string = `<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xs:element name="note">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="to" type="xs:string" maxOccurs="3"/>
        <xs:element name="body" type="xs:string"/>
        <xs:element name="copies" type="xs:positiveInteger" minOccurs="0"/>
      </xs:sequence>
      <xs:attribute name="lang" type="xs:language"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="memo" type="xs:string"/>
</xs:schema>
`;

const NOTE = "<note><to>Ann</to><body>Hi</body></note>";

export const XML_ANSWERS: Record<string, string> = {
  "as it should be": NOTE,
  "with declaration and comment": `<?xml version="1.0" encoding="UTF-8"?>\n<!-- for Ann -->\n${NOTE}\n`,
  "with another encoding declared": `<?xml version="1.0" encoding="ISO-8859-1"?>\n${NOTE}`,
  "byte order mark": `\ufeff${NOTE}`,
  "code fence": `\`\`\`xml\n${NOTE}\n\`\`\``,
  "prose around": `Here is the note:\n${NOTE}\nAnything else?`,
  "declaration after a line break": `\n<?xml version="1.0"?>\n${NOTE}`,
  "two code blocks": `\`\`\`xml\n${NOTE}\n\`\`\`\n\`\`\`xml\n${NOTE}\n\`\`\``,
  "two roots": `${NOTE}\n${NOTE}`,
  "raw ampersand": "<note>\n<to>Ann & Bob</to>\n<body>Hi</body></note>",
  "raw less-than": "<note><to>Ann</to><body>1 < 2</body></note>",
  "entity of HTML": "<note><to>Ann&nbsp;B</to><body>Hi</body></note>",
  "wrong end tag": "<note><to>Ann</from><body>Hi</body></note>",
  "wrong last end tag": "<note><to>Ann</to><body>Hi</body></notes>",
  "attribute without quotes": "<note lang=en><to>Ann</to><body>Hi</body></note>",
  "attribute twice": '<note lang="en" lang="de"><to>Ann</to><body>Hi</body></note>',
  "undeclared prefix": "<x:note><to>Ann</to></x:note>",
  "control character": "<note><to>A\u0001</to><body>Hi</body></note>",
  "unpaired surrogate": "<note><to>\ud83d</to><body>Hi</body></note>",
  "file by an entity":
    '<!DOCTYPE note [<!ENTITY x SYSTEM "file:///etc/passwd">]><note><to>&x;</to><body>Hi</body></note>',
  "a foreign DTD": `<!DOCTYPE note SYSTEM "http://127.0.0.1/note.dtd">${NOTE}`,
  "entities of entities":
    '<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><note><to>&b;</to><body/></note>',
  "nested too deeply": `${"<a>".repeat(5000)}${"</a>".repeat(5000)}`,
  "ends in a tag": "<note><to>Ann</to><bo",
  "ends in a text": "<note>\n<to>Ann</to>\n<body>Hi",
  "ends after a mistake": "<note><to>Ann & Bob</to><body>H",
  "ends, in a code fence": "```xml\n<note><to>Änn</to><body>H",
  "order of elements": "<note>\n<body>Hi</body>\n<to>Ann</to>\n</note>",
  "missing element": "<note>\n<to>Ann</to>\n</note>",
  "unknown element": "<note><to>Ann</to><body>Hi</body>\n<ps>!</ps></note>",
  "unknown attribute": '<note date="today"><to>Ann</to><body>Hi</body></note>',
  "wrong type": "<note><to>Ann</to><body>Hi</body>\n<copies>two</copies></note>",
  "other root": "<Note><to>Ann</to></Note>",
  empty: "",
  JSON: '{"to":"Ann"}',
  "escaped as a whole": "&lt;note&gt;&lt;/note&gt;",
};
