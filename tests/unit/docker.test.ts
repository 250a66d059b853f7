import { expect, it } from "vitest";
import { isAtLeast } from "../../tools/lib/docker";

it.each([
  ["25.0", "25.0", true],
  ["25.0.1", "25.0", true],
  ["26.1.5+dfsg1", "25.0", true],
  ["28", "25.0", true],
  ["25", "25.0", true],
  ["2.24.0-desktop.1", "2.24", true],
  ["2.100.0", "2.24", true],
  ["24.0.9", "25.0", false],
  ["2.9.0", "2.24", false],
  ["2", "2.24", false],
  ["20.10.24+dfsg1", "25.0", false],
  ["", "25.0", false],
])("version %s is at least %s: %s", (version, minimum, expected) => {
  expect(isAtLeast(version, minimum)).toBe(expected);
});
