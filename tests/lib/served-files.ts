import { load } from "cheerio";
import { expect, it } from "vitest";
import type { Answer } from "../../tools/lib/http";

/** Headers that production sends with every response. */
export const everyResponse = {
  server: "nginx",
  "content-security-policy": expect.stringContaining("default-src 'none'"),
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-request-id": expect.stringMatching(/^[0-9a-f]{32}$/),
};

type Get = (target: string, headers?: object) => Promise<Answer>;

/** Tests how production sends its pages, the files that they load, and errors. */
export function itServesItsFiles(get: Get): void {
  it.each(["gzip", undefined])(
    "sends a page, then 304, with encoding %s, also behind another proxy",
    async (encoding) => {
      const accepted = { "Accept-Encoding": encoding ?? "identity", Via: "1.1 another" };
      const { headers } = await get("/", accepted);
      expect(headers).toMatchObject({ vary: "Accept-Encoding", "cache-control": "no-cache" });
      expect(headers["content-encoding"]).toBe(encoding);
      const again = await get("/", { ...accepted, "If-None-Match": headers.etag });
      expect([again.status, again.body]).toEqual([304, ""]);
    },
  );

  it("never mixes pages and files of two versions: a file's path has the version", async () => {
    for (const page of ["/", "/load-balancer.html", "/no-such-page"]) {
      const $ = load((await get(page)).body);
      const paths = $("link[href], script[src], img, use")
        .toArray()
        .map((element) => $(element).attr("href") ?? $(element).attr("src") ?? "");
      expect(paths.length).toBeGreaterThan(1);
      for (const path of paths) {
        expect(path).toMatch(/^\/[0-9a-f]{12}\/./);
        const { status, headers } = await get(path);
        expect([path, status]).toEqual([path, 200]);
        expect(headers["cache-control"]).toBe("max-age=31536000, immutable");
        const other = await get(path.replace(/\w+/, "0123456789ab"));
        expect([other.status, other.headers["cache-control"]]).toEqual([404, "no-store"]);
      }
    }
  });

  it.each([
    [200, "/", {}],
    [200, "/health", {}],
    [200, "/api/hello", {}],
    [301, "/images", {}],
    [403, "/images/", {}],
    [404, "/no-such-page", {}],
    [412, "/", { "If-Match": "x" }],
    [416, "/", { Range: "bytes=99999999-" }],
  ])(
    "responds with %d to %s with every header, without nginx's version, to people in its own words",
    async (status, target, headers) => {
      const response = await get(target, headers);
      expect(response.status).toBe(status);
      expect(response.headers).toMatchObject(everyResponse);
      expect(response.body).not.toMatch(/nginx\/\d/);
      if (![403, 404].includes(status)) return;
      const $ = load(response.body);
      expect($("html").attr("lang")).toBe("en");
      expect($("title").text()).toBe("Page not found: Softy Pinko");
      expect($("a").attr("href")).toBe("/");
      expect(response.headers["content-security-policy"]).toContain("style-src 'self'");
    },
  );
}
