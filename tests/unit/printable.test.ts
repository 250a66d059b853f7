import { describe, expect, it } from "vitest";
import { CommandError } from "../../tools/lib/errors";
import { printable } from "../../tools/lib/printable";

const [esc, bel, st] = ["\x1b", "\x07", "\x1b\\"];

describe("printable", () => {
  it.each([
    ["grüße, 世界 🎉 e\u0301", "grüße, 世界 🎉 e\u0301"],
    ["a\tb\nc\n", "a\tb\nc\n"],
    ["a\r\nb\rc", "a\nbc"],
    ["half a \ud83c pair", "half a \ud83c pair"],
    // CSI
    [`${esc}[1;31mred${esc}[0m`, "red"],
    [`${esc}[38:2::1:2:3mrgb${esc}[m`, "rgb"],
    [`${esc}[2J${esc}[H${esc}[?25l${esc}[!p${esc}[0 qx`, "x"],
    [`${esc}[>c${esc}[=c${esc}[6n${esc}[18tx`, "x"],
    ["\x9b31mred\x9b0m", "red"],
    [`${esc}[31`, "31"],
    // OSC
    [`${esc}]0;title${bel}x`, "x"],
    [`${esc}]0;title${st}x`, "x"],
    [`${esc}]52;c;cm0gLXJm${bel}x`, "x"],
    [`${esc}]8;;https://example.com${st}link${esc}]8;;${st}`, "link"],
    [`\x9d52;c;cm0gLXJm\x9cx`, "x"],
    [`${esc}]0;no end`, "0;no end"],
    [`${esc}]0;no end\nx`, "0;no end\nx"],
    // DCS, SOS, PM, APC
    [`${esc}P$q"p${st}x`, "x"],
    [`${esc}X1${st}${esc}^2${st}${esc}_3${st}x`, "x"],
    ["\x901\x9c\x982\x9c\x9e3\x9c\x9f4\x9cx", "x"],
    [`${esc}Ptmux;${esc}${esc}]52;c;cm0=${bel}${st}x`, "tmux;x"],
    // Others
    [`${esc}c${esc}7${esc}8${esc}=${esc}(B${esc}#8x`, "x"],
    [`a\b\b\x00\x7f${bel}\x05\x0e\x85\x84b`, "ab"],
    [esc, ""],
    // Nothing that remains is a sequence again
    [`${esc}${esc}[0m[31mx`, "[31mx"],
    [`${esc}\x00[31mx`, "[31mx"],
  ])("makes %j into %j", (text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  const pieces = ["]", "[", "P ", " ", `]x${esc}[`].map((text) => esc + text);
  it.each([...pieces, "\x9d", "\x9b0", "x"])("takes linear time for many of %j", (piece) => {
    // In quadratic time, far longer than a test may take
    for (const introducer of ["]", "[", " "]) printable(esc + introducer + piece.repeat(100_000));
  });
});

describe("the message of a program that failed", () => {
  it("has its command line and its last lines, safe to show", () => {
    const output = `${"line\n".repeat(30)}${esc}]0;title${bel}${esc}[31mno space left${esc}[0m\n`;
    const { message } = new CommandError(`docker build ${esc}[2J.`, 17, output);
    expect(message).toBe(`docker build . failed with 17\n${"line\n".repeat(19)}no space left`);
  });
});
