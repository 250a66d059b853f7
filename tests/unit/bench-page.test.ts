import { deflateSync, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { edit } from "../../tools/bench/builds";
import { type Inspected, sizeOf } from "../../tools/bench/images";
import { originalPage, picture } from "../../tools/bench/original-page";

describe("the stand-in of the original's page", () => {
  const files = originalPage();
  const text = (name: string): string => files.get(name)?.toString() ?? "";

  it("has the original's 26 requests and 2.1 MB, headers of nginx included", () => {
    expect(files.size).toBe(26);
    const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
    const headers = 26 * 240;
    expect((bytes + headers) / 2_100_000).toBeCloseTo(1, 2);
  });

  it("is the same each time", () => {
    for (const [name, content] of originalPage()) {
      expect(files.get(name)?.equals(content), name).toBe(true);
    }
  });

  it("cannot be compressed but for its text", () => {
    for (const [name, content] of files) {
      if (!/\.(png|woff2)$/.test(name)) continue;
      expect(deflateSync(content).length, name).toBeGreaterThan(content.length * 0.97);
    }
  });

  it("asks for each of its files", () => {
    const asking = ["index.html", "site.css", "fonts.css"].map(text).join("");
    for (const name of files.keys()) {
      if (name !== "index.html") expect(asking).toContain(name);
    }
  });

  it("has style sheets and scripts that are well-formed", () => {
    for (const name of files.keys()) {
      if (!/\.(css|js)$/.test(name)) continue;
      expect(text(name), name).toMatch(/\/\*[A-Za-z0-9+/]+={0,2}\*\/\n$/);
    }
  });
});

describe("a picture", () => {
  it("is a PNG of so many pixels, four bits each", () => {
    const png = picture("name", 5, 3);
    expect(png.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([5, 3]);
    const data = png.indexOf("IDAT");
    const pixels = inflateSync(png.subarray(data + 4, data + 4 + png.readUInt32BE(data - 4)));
    expect(pixels.length).toBe(3 * (1 + 3));
    expect([pixels[0], pixels[4], pixels[8]]).toEqual([0, 0, 0]);
  });
});

describe("an image's size", () => {
  const measured = { service: "proxy" };
  const inspected = (size: number, ...layers: string[]): Inspected => ({
    Size: size,
    RootFS: { Layers: layers },
  });
  const base = inspected(150_000_000, "a", "b");

  it("is told in megabytes, in all and above its base", () => {
    expect(sizeOf(measured, inspected(150_500_000, "a", "b", "c"), base)).toEqual({
      ...{ service: "proxy", megabytes: 150.5, aboveBase: 0.5 },
    });
  });

  it.each([
    ["another base", inspected(1, "a", "x", "c"), base],
    ["fewer layers than its base", inspected(1, "a"), base],
    ["a base that the engine does not have", inspected(1, "a", "b"), undefined],
  ])("is told in all alone of one with %s", (_, whole, below) => {
    expect(sizeOf(measured, whole, below)).toEqual({
      ...{ service: "proxy", megabytes: 1e-6, aboveBase: undefined },
    });
  });
});

it("an edit is a new one each time, so that no cache has it", () => {
  expect(edit()).not.toBe(edit());
});
