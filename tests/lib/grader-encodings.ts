/** A file of task6 in another encoding, and what the grader says of it. */
export interface EncodedFile {
  kind: string;
  file: string;
  as: string;
  encode(text: string): Buffer;
  /** Of `verdict: cause`; undefined if the program that reads the file does so without a problem. */
  finding: RegExp | undefined;
}

/** Each kind of file, a text with a space that can be made a non-breaking one, and its comments. */
const kinds = {
  Dockerfile: { file: "back-end/Dockerfile", spaced: "FROM ubuntu", comment: "# \u00E9" },
  conf: { file: "proxy/proxy.conf", spaced: "listen 80", comment: "# \u00E9" },
  "compose file": { file: "docker-compose.yml", spaced: "image: ", comment: "# \u00E9" },
  page: {
    file: "front-end/softy-pinko-front-end/index.html",
    spaced: "the best",
    comment: "<!-- \u00E9 -->",
  },
  command: { file: "2-api-servers.txt", spaced: "docker-compose up", comment: "# \u00E9" },
};
type Kind = keyof typeof kinds;

const encode: Record<string, (text: string, kind: Kind) => Buffer> = {
  "in UTF-16LE": (text) => Buffer.from(`\uFEFF${text}`, "utf16le"),
  "in UTF-16BE": (text) => Buffer.from(`\uFEFF${text}`, "utf16le").swap16(),
  "in UTF-16 without a mark": (text) => Buffer.from(text, "utf16le"),
  "in UTF-8 with a mark": (text) => Buffer.from(`\uFEFF${text}`),
  "with CRLF": (text) => Buffer.from(text.replaceAll("\n", "\r\n")),
  "with a non-breaking space": (text, kind) => {
    const { spaced } = kinds[kind];
    if (!text.includes(spaced)) throw new Error(`there is no ${spaced}`);
    return Buffer.from(text.replace(spaced, spaced.replace(" ", "\u00A0")));
  },
  "in Latin-1": (text, kind) => Buffer.from(`${text}${kinds[kind].comment}\n`, "latin1"),
};

const utf16 = /^fail: it is UTF-16$/;
const unmarked = /^fail: it contains NUL bytes, as UTF-16 does$/;
const nonBreaking = /^fail: it has a non-breaking space$/;

/** In the order of {@link encode}. */
const findings: Record<Kind, (RegExp | undefined)[]> = {
  Dockerfile: [utf16, utf16, unmarked, undefined, /^deviation: .*Windows/, nonBreaking, undefined],
  conf: [utf16, utf16, unmarked, /^fail: it .* not read$/, undefined, nonBreaking, undefined],
  "compose file": [
    undefined,
    undefined,
    unmarked,
    undefined,
    undefined,
    nonBreaking,
    /^fail: it is not UTF-8$/,
  ],
  page: [undefined, undefined, unmarked, undefined, undefined, undefined, undefined],
  command: [
    utf16,
    utf16,
    unmarked,
    /^deviation: .*\\ufeff/,
    /^deviation: .*\\r\\n/,
    nonBreaking,
    /^deviation: it is/,
  ],
};

export const encodings: EncodedFile[] = (Object.keys(kinds) as Kind[]).flatMap((kind) =>
  Object.entries(encode).map(([as, encodeText], index) => ({
    kind,
    file: kinds[kind].file,
    as,
    encode: (text) => encodeText(text, kind),
    finding: findings[kind][index],
  })),
);
