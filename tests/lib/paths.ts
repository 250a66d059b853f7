/** Paths that are not /api/hello, although they look like it. The proxy and the APIs agree on each. */
export const otherPaths: readonly string[] = [
  "/",
  "/api",
  "/api/hello/",
  "/API/hello",
  "/api/Hello",
  "/api/%68ello",
  "//api/hello",
  "/api//hello",
  "/api/hello.html",
];
