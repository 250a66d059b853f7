import type { RawClient } from "./raw-http";

/** Begins the path of a request that is hidden in another one; none may ever be served. */
export const smuggled = "/api/smuggled-";
/** Begins the path of a request that may follow another one on its connection. */
export const pipelined = "/api/pipelined-";
/** Not a host of ours; no response names it. */
export const foreignHost = "foreign.example";

/** What is sent, in one or several pieces; the expected outcome; how the client behaves. */
export type Row = readonly [bytes: string | string[], expected: string, client?: RawClient];

/** Texts by the expected outcome. */
type ByOutcome = Record<string, readonly string[]>;

const rowsOf = (
  texts: ByOutcome,
  bytesOf: (text: string) => string = (text) => text,
  client?: RawClient,
): Row[] =>
  Object.entries(texts).flatMap(([expected, list]) =>
    list.map((text): Row => [bytesOf(text), expected, client]),
  );

/** Splits a list at `¦`, after which a line may break. */
const listOf = (text: string): string[] => text.replace(/^\n *|\n *$/g, "").split(/¦(?:\n *)?/);

const message = (...lines: string[]): string => `${lines.join("\r\n")}\r\n\r\n`;

/** A request after whose response another one may follow. */
const request = (methodAndTarget: string, ...headers: string[]): string =>
  message(`${methodAndTarget} HTTP/1.1`, "Host: localhost", ...headers);

/** A request after whose response the connection ends. */
const get = (target: string, ...headers: string[]): string =>
  request(`GET ${target}`, "Connection: close", ...headers);

/** A placeholder for the attack's own name, which is as long, so that lengths can be computed. */
export const nameless = "@".repeat(24);

/** A request that only a server with a wrong idea of the framing would see. */
const hidden = request(`GET ${smuggled}${nameless}`);
const next = get(`${pipelined}${nameless}`);

/** nginx returns 501 for a transfer coding, and 505 for a version of HTTP, that it does not know. */
const unknown = "400|411|501|505";

/** For connections that may stay open: silence shows that they do. */
const briefly: RawClient = { quietMs: 1_000 };

function requestLines(): Row[] {
  const after = "Host: localhost\r\nConnection: close\r\n\r\n";
  const bad = listOf(`
    GET¦GET  ¦ GET / HTTP/1.1¦GET\t/\tHTTP/1.1¦GET / HTTP¦GET / HTTP/¦GET / HTTP/1¦GET / HTTP/1.¦
    GET / HTTP/1.1.1¦GET / HTTP/-1.1¦GET / HTTP/1,1¦GET / HTTP/1.1x¦GET / HTTP/1.1 x¦GET / http/1.1¦
    GET / HTTP /1.1¦GET / HTTPS/1.1¦GET / HTTP/1.1\r¦GET /\rHTTP/1.1¦GET /\0 HTTP/1.1¦
    GET /\x1b[2J HTTP/1.1¦GET /\x7f HTTP/1.1¦G\0ET / HTTP/1.1¦GE(T / HTTP/1.1¦\u00ff\u00fe\u00fd¦
    HTTP/1.1 200 OK¦Host: localhost¦GET / HTTP/0.8¦GET / HTTP/1.1000000000000000000000
  `);
  // Unusual, but unambiguous
  const understood = listOf(`
    GET  / HTTP/1.1¦GET /  HTTP/1.1¦GET / HTTP/1.1 ¦GET / HTTP/1.2¦GET / HTTP/1.9¦GET / HTTP/1.01¦
    \r\nGET / HTTP/1.1¦\r\n\r\n\r\nGET / HTTP/1.1
  `);
  const versions = listOf("2¦2.0¦3.0¦9.9¦11.0¦01.1¦1000000000000000000000.1");
  // HTTP/0.9 has neither status nor headers: the page, or the text of an error, is all there is
  const bare = listOf("GET /¦GET /api/hello¦GET /nothing¦POST /¦HEAD /");
  return [
    ...rowsOf({ "400": bad, "200": understood }, (line) => `${line}\r\n${after}`),
    ...rowsOf({ [unknown]: versions }, (version) => `GET / HTTP/${version}\r\n${after}`),
    ...rowsOf({ bare }, (line) => `${line}\r\n`),
    [["G", "E", "T", " /", " HTTP/1.1\r\n", after], "200"],
    ["GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n", "200"],
    ["GET / HTTP/1.0\r\n\r\n", "200"],
    ["GET / HTTP/0.9\r\n\r\n", "400"],
  ];
}

/** The first bytes of clients of other protocols. */
function otherProtocols(): Row[] {
  const clientHello = `\x16\x03\x01\0\x2f\x01\0\0\x2b\x03\x03${"Z".repeat(32)}\0\0\x04\x13\x01\x13\x02`;
  const http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
  const refused = listOf(`
    ${clientHello}¦SSH-2.0-OpenSSH_9.9\r\n¦EHLO foreign.example\r\n¦PING\r\n¦
    PROXY TCP4 1.2.3.4 5.6.7.8 1 80\r\n${get("/")}¦
    \r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c${"\x01".repeat(12)}${get("/")}¦${"\0".repeat(64)}
  `);
  const h2c = listOf(
    "Upgrade: h2c¦Connection: Upgrade, HTTP2-Settings¦HTTP2-Settings: AAMAAABkAAQAAP__",
  );
  const webSocket = listOf(`
    Upgrade: websocket¦Connection: Upgrade¦Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==¦
    Sec-WebSocket-Version: 13
  `);
  return [
    ...rowsOf({ "400": refused, [unknown]: [http2] }),
    ...rowsOf({ nothing: ["\r\n", "\r\n".repeat(2_000)] }, undefined, { afterwards: "end" }),
    [request("GET /", ...h2c), "200 open", briefly],
    [request("GET /api/hello", ...webSocket), "200 open", briefly],
  ];
}

function methods(): Row[] {
  const known = listOf(`
    POST¦PUT¦PATCH¦DELETE¦TRACE¦PROPFIND¦MKCOL¦MOVE¦LOCK¦FOO¦GETS¦HEADER¦M-SEARCH¦VERSION_CONTROL
  `);
  const bad = listOf("CONNECT¦get¦Get¦gEt¦options");
  return ["/", "/api/hello", "/nothing", "/api/nothing"].flatMap((target) =>
    rowsOf(
      { "405": known, "400": bad },
      (method) => `${request(`${method} ${target}`, "Connection: close", "Content-Length: 3")}x=1`,
    ),
  );
}

/** The length of the body is given twice, wrongly, or so that two readers could disagree. */
function framing(): Row[] {
  const lengths = listOf(`
    -1¦+5¦5 5¦5, 5¦0x5¦¦\u0665¦5\0¦\x0b5¦9223372036854775808¦18446744073709551621
  `);
  const encodings = listOf(`
    identity¦gzip, chunked¦chunked, identity¦xchunked¦¦chunked, chunked¦chunked;q=1¦"chunked"¦chunk¦
    chunked\0¦\x0bchunked¦chunked\x0b¦\u00a0chunked¦chunked\r\n , identity¦\r\n chunked
  `);
  const names = listOf(`
    Transfer-Encoding : chunked¦ Transfer-Encoding: chunked¦Transfer-Encoding\t: chunked¦
    Transfer-Encoding\0: chunked¦Transfer Encoding: chunked¦X: x\rTransfer-Encoding: chunked¦
    Transfer-\r\n Encoding: chunked¦\x0bTransfer-Encoding: chunked¦Transfer-Encoding\x0b: chunked¦
    Content-Length : 5¦ Content-Length: 5¦Content-Length\0: 5¦X: x\rContent-Length: 5
  `);
  // nginx neither understands these names nor passes them on
  const ignored = listOf(
    "Transfer_Encoding: chunked¦Content_Length: 5¦Tra\u00e4nsfer-Encoding: chunked",
  );
  const body = `0\r\n\r\n${hidden}`;
  const long = `Content-Length: ${body.length}`;
  const pairs = listOf(`
    Content-Length: 5|Content-Length: 5¦Content-Length: 5|Content-Length: 6¦
    Content-Length: 0|${long}¦${long}|Content-Length: 0¦Transfer-Encoding: chunked|${long}¦
    ${long}|Transfer-Encoding: chunked¦Content-Length: 0|Transfer-Encoding: chunked¦
    Transfer-Encoding: chunked|Transfer-Encoding: chunked¦
    Transfer-Encoding: chunked|Transfer-Encoding: identity¦
    Transfer-Encoding: identity|Transfer-Encoding: chunked¦
    Transfer-Encoding: chunked|Transfer-encoding: cow¦transfer-encoding: CHUNKED|Content-Length: 5¦
    Content-Length: 5|Transfer-Encoding : chunked¦Content-Length: 5|X: x\nTransfer-Encoding: chunked
  `);
  const unknownPairs = listOf(
    "Transfer-Encoding: x|Content-Length: 5¦Content-Length: 5|Transfer-Encoding: identity",
  );
  const bad = [...lengths.map((value) => `Content-Length: ${value}`), ...names, ...pairs];
  const notKnown = [...encodings.map((value) => `Transfer-Encoding: ${value}`), ...unknownPairs];
  // Understood by nginx alone, which passes no body on; what follows the body is a request
  const chunked = listOf(`
    X: x\nTransfer-Encoding: chunked¦Transfer-Encoding: chunked|Connection: Transfer-Encoding
  `);
  const measured = listOf("X: x\nContent-Length: 5¦Content-Length: 5|Connection: Content-Length");
  const ofHidden = { "413": [`Content-Length: ${hidden.length}`] };
  const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;

  const on =
    (methodAndTarget: string, payload: string) =>
    (lines: string): string =>
      request(methodAndTarget, ...lines.split("|")) + payload;
  const onGet = (payload: string) => on("GET /api/hello", payload);
  const onPost = (payload: string) => on("POST /api/hello", payload);
  return [
    ...["GET /api/hello", "POST /api/hello", "GET /", "OPTIONS /api/hello"].flatMap((start) =>
      rowsOf({ "400": bad, [unknown]: notKnown }, on(start, body), briefly),
    ),
    ...rowsOf({ "400": pairs }, on("HEAD /api/hello", body), briefly),
    ...rowsOf({ "200 400": ignored, "413": measured }, onGet(body), briefly),
    ...rowsOf({ "405 400": ignored }, onPost(body), briefly),
    ...rowsOf({ "411 404": chunked }, onGet(`0\r\n\r\n${next}`), briefly),
    ...rowsOf({ "405 404": [...chunked, ...measured] }, onPost(`0\r\n\r\n${next}`), briefly),
    [message("GET /api/hello HTTP/1.0", "Transfer-Encoding: chunked") + body, "400", briefly],
    [message("GET /api/hello HTTP/1.0", "Content-Length: 0") + hidden, "200", briefly],
    // A body that looks like a request
    ...rowsOf(ofHidden, onGet(hidden), briefly),
    ...rowsOf(ofHidden, on("GET /", hidden), briefly),
    ...rowsOf(ofHidden, (length) => onGet(hidden)(`Expect: 100-continue|${length}`), briefly),
    ...rowsOf({ "411 404": ["Transfer-Encoding: chunked"] }, onGet(chunk + next)),
    [onPost("")("Expect: 100-continue|Content-Length: 999999"), "405( open)?", briefly],
    [onGet("")("Expect: nothing|Connection: close"), "200"],
    [onGet("")("Expect: 100-continue, x|Content-Length: 0|Connection: close"), "200"],
  ];
}

function chunking(): Row[] {
  const bodies = listOf(`
    -5\r\nhello\r\n0\r\n\r\n¦0x5\r\nhello\r\n0\r\n\r\n¦fffffffffffffffff\r\nhello\r\n¦
    7fffffffffffffff\r\nhello\r\n¦\r\nhello\r\n0\r\n\r\n¦
    5\r\nhelloX\r\n0\r\n\r\n¦5\r\nhello0\r\n\r\n¦5 \r\nhello\r\n0\r\n\r\n¦5\nhello\n0\n\n¦
    5\rhello\r0\r\r¦5;a=b\r\nhello\r\n0\r\n\r\n¦5;\r\nhello\r\n0\r\n\r\n¦
    5;a="\r\n"\r\nhello\r\n0\r\n\r\n¦5\0\r\nhello\r\n0\r\n\r\n¦
    ${"0".repeat(5_000)}5\r\nhello\r\n0\r\n\r\n¦
    5;${"x".repeat(20_000)}\r\nhello\r\n0\r\n\r\n¦3\r\nhello\r\n0\r\n\r\n¦
    0\r\nHost: ${foreignHost}\r\n\r\n¦0\r\nContent-Length: 99\r\n\r\n¦
    0\r\nTransfer-Encoding: chunked\r\n\r\n¦0\r\n${"X: y\r\n".repeat(3_000)}\r\n¦0\r\n${hidden}¦
    0\r\nX${hidden}¦0\n\n${hidden}¦2\r\nZ\r\n0\r\n\r\n${hidden}
  `);
  return [
    ["GET", "411"],
    ["POST", "405"],
  ].flatMap(([method, status = ""]): Row[] => {
    const head = request(`${method} /api/hello`, "Transfer-Encoding: chunked");
    return [
      // nginx rejects these before it reads the body
      ...rowsOf({ [status]: bodies }, (body) => head + body, { afterwards: "end" }),
      [`${head}1\r\nZ\r\n0\r\n\r\n${next}`, `${status} 404`],
    ];
  });
}

function oversized(): Row[] {
  const ofSize = (size: number): Row[] => {
    const long = "a".repeat(size);
    const headers = listOf(`
      X: ${long}¦${"X".repeat(size)}: a¦Cookie: ${"a=b; ".repeat(size / 5)}¦
      Referer: http://${foreignHost}/${long}
    `);
    const version = `GET / HTTP/1.${"1".repeat(size)}`;
    return [
      ...rowsOf({ "414": [`/${long}`, `/api/hello?${long}`] }, (target) => get(target)),
      ...rowsOf({ "400": headers }, (line) => get("/", line)),
      ...rowsOf({ "414": [`${"A".repeat(size)} /`, `GET ${" ".repeat(size)}/`] }, (start) =>
        request(start),
      ),
      [message("GET / HTTP/1.1", `Host: ${long}`), "400"],
      [message(version, "Host: localhost"), "400"],
      [`${"A".repeat(size)}\r\n\r\n`, "414"],
    ];
  };
  const lengths = ["1025", "1048577", "10737418240", "9223372036854775807"];
  const body = "x".repeat(2_000_000);
  const chunked = get("/api/hello", "Transfer-Encoding: chunked");
  const cookies = `Cookie: ${"a=b; ".repeat(3_000)}`;
  return [
    ...rowsOf({ "200": ["/", "/api/hello"] }, (target) => get(target, cookies)),
    ...[17_000, 40_000, 1_000_000].flatMap(ofSize),
    ...[1_500, 5_000, 50_000].flatMap((count) => {
      const lines = Array.from({ length: count }, (_, index) => `X-${index}: y`).join("\r\n");
      return rowsOf({ "400": ["/", "/api/hello"] }, (target) => get(target, lines));
    }),
    ...["/", "/api/hello"].flatMap((target) =>
      rowsOf({ "413": lengths }, (length) => get(target, `Content-Length: ${length}`)),
    ),
    ...rowsOf(
      { "405( open)?": lengths },
      (length) => request("POST /api/hello", `Content-Length: ${length}`),
      briefly,
    ),
    [get("/", "Content-Length: 2000000") + body, "413"],
    [`${chunked}1e8480\r\n${body}\r\n0\r\n\r\n`, "411"],
    [`${chunked}${"1\r\nx\r\n".repeat(5_000)}0\r\n\r\n`, "411"],
    [request("POST /", "Content-Length: 2000000") + body, "405( open)?", briefly],
  ];
}

function targets(): Row[] {
  const up = listOf(`
    ../¦..%2f¦%2e%2e/¦%2e%2e%2f¦.%2e/¦..\\¦..%5c¦%252e%252e/¦..%252f¦%25252e%25252e%25252f¦..%255c¦
    ..%c0%af¦%c0%ae%c0%ae/¦%e0%80%ae%e0%80%ae%e0%80%af¦\xc0\xae\xc0\xae/¦%u002e%u002e%u2215¦..;/¦
    ....//¦..././¦..%00/¦..\0/¦..%0a/¦..%20/¦..//¦./../¦/../¦%2f..%2f¦..%ef%bc%8f
  `);
  const files = ["etc/passwd", "etc/nginx/conf.d/default.conf", "app/package.json"];
  const starts = ["/", "/images/", "/api/", "/api/hello/"];
  const everywhere = starts.flatMap((start) =>
    files.flatMap((file) => up.map((step) => `${start}${step.repeat(6)}${file}`)),
  );
  // One step up; the rest is a query or a fragment. That is the front page
  const cut = ["/images/", "/api/"].flatMap((start) =>
    ["..?/", "..#/"].map((step) => `${start}${step.repeat(6)}etc/passwd`),
  );
  // Wrong paths, and targets in other forms than a path
  const others: ByOutcome = {
    "404": listOf(`
      /.git/config¦/Dockerfile¦/package.json¦/softy-pinko-front-end.conf¦/index.html%20¦/index.html/¦
      /index.html/x¦/INDEX.HTML¦/index.html;x¦/index.html%3fx¦//${foreignHost}¦
      /\\${foreignHost}¦/%5c${foreignHost}¦/%2f%2f${foreignHost}¦/\\images¦
      /images%0d%0aX-Injected:%20yes¦/%0d%0a%0d%0a¦/api¦/api/¦/api/hello/¦/api/hello/..¦/api/hello/../hello¦
      /api//hello¦/api/./hello¦/api/%68ello¦/api/hello%2f¦/api/hello;x¦/api/hello%3fx¦
      /api/hello%0d%0aX-Injected:%20yes¦/%61pi/hello¦/API/hello¦/api%2fhello¦//api/hello¦
      /images/../api/hello¦/images/..%2fapi/hello¦/apix¦/api.hello¦/health/../api/health¦/health/¦
      /api/health¦/%ff¦/\xff¦/api/%c0%af¦/nginx_status¦/index.php?file=../../../etc/passwd¦
      gopher://localhost:70/x¦http://169.254.169.254/latest/meta-data/¦
      http://127.0.0.1:2375/version¦http://unix:/var/run/docker.sock:/version
    `),
    "400": listOf(`
      /index.html%00.txt¦/index.html\0¦/images/../../index.html¦/api/hello%00¦/%¦/%2¦/%zz¦/%00¦
      /api/%¦/api/%zz¦/api/\xff¦/../../../../../../proc/self/environ¦
      http://user:pw@localhost/¦http://localhost@${foreignHost}/¦http:///¦http://¦http:/¦http:¦
      file:///etc/passwd¦javascript:alert(1)¦http://localhost/../../etc/passwd¦http://localhost%00/¦
      localhost:80¦localhost¦*¦?¦?x¦#¦#x¦api/hello¦..¦../etc/passwd¦\\¦@back-end:5252/health¦
      :5252/health¦@front-end-away¦@back-end-again
    `),
    "301": listOf(`/images¦//images¦/%2fimages¦/./images¦/images?x=//a`),
    "403": listOf(`/images/¦/images/.¦/images%2f¦/images/%0aX-Injected:x/..`),
    "200": listOf(`
      /images/..¦/images/../¦/images/../index.html¦/images%2f..%2findex.html¦//¦///¦//index.html¦
      /.//index.html¦/./index.html¦/images//hero.svg¦//${foreignHost}/..¦//${foreignHost}/%2e%2e¦
      /api/..¦/api/../¦/api/../index.html¦/api/%2e%2e/index.html¦/api/hello/../../index.html¦
      /api/../health¦/?%zz¦/api/hello?%zz¦/api/hello?a[__proto__]=1&__proto__[x]=1¦
      /api/hello?a=%00¦http://${foreignHost}/¦http://${foreignHost}/api/hello¦http://${foreignHost}¦
      http://localhost/api/hello¦https://localhost/¦HTTP://localhost/¦http://localhost:81/¦
      http://[::1]/¦ftp://localhost/¦http://back-end:5252/health¦http://back-end:5252/api/hello¦/#x¦
      /#/../..
    `),
  };
  return [
    ...rowsOf({ "400|404": everywhere, "200": cut }, (target) => get(target)),
    ...rowsOf(others, (target) => get(target)),
  ];
}

function hosts(): Row[] {
  const on = (...lines: string[]): string =>
    message("GET / HTTP/1.1", ...lines, "Connection: close");
  const values: ByOutcome = {
    "400": listOf(`
      ¦ ¦a b¦local/host¦local\\host¦localhost:80:80¦localhost:99999¦[::1¦::1¦user@localhost¦
      localhost, localhost¦localhost?¦..¦.¦localhost\0¦\x01¦localhost\t¦<script>alert(1)</script>¦
      a\u00ffb¦unix:/var/run/docker.sock
    `),
    "200": listOf(`
      localhost:¦[::1]¦[::1]:80¦%00¦127.0.0.1¦0x7f.1¦LOCALHOST¦localhost.¦*¦_¦-¦169.254.169.254¦
      ${foreignHost}¦${foreignHost}:80¦${"a".repeat(300)}¦${"a.".repeat(200)}example
    `),
  };
  const lines: ByOutcome = {
    "400": listOf(`
      Host: localhost|Host: localhost¦Host: localhost|Host: ${foreignHost}¦
      Host: ${foreignHost}|Host: localhost¦Host : localhost¦ Host: localhost¦
      Host: localhost| localhost¦Host\r\n : localhost
    `),
    "200": listOf(`
      Host:localhost¦Host: localhost|X-Forwarded-Host: ${foreignHost}¦
      Host: localhost|X-Host: ${foreignHost}|Forwarded: host=${foreignHost}
    `),
  };
  const targets = { "301": ["//images", "/images"], "404": ["/nothing"], "200": ["/api/hello"] };
  const forwarded = `X-Forwarded-Host: ${foreignHost}`;
  return [
    ...rowsOf(values, (value) => on(`Host: ${value}`)),
    ...rowsOf(lines, (text) => on(...text.split("|"))),
    ...rowsOf(targets, (target) =>
      message(`GET ${target} HTTP/1.1`, `Host: ${foreignHost}`, "Connection: close"),
    ),
    [on(), "400"],
    [request("GET /images", forwarded, "Connection: close"), "301"],
    [message("GET /images HTTP/1.0", `Host: ${foreignHost}`), "301"],
    [message("GET /images HTTP/1.0"), "301"],
  ];
}

function tunnels(): Row[] {
  const targets: ByOutcome = {
    "400": ["/", "*", `http://${foreignHost}/`],
    "405": [`${foreignHost}:443`, "back-end:5252", "127.0.0.1:22"],
  };
  return [
    ...rowsOf(
      targets,
      (target) => message(`CONNECT ${target} HTTP/1.1`, `Host: ${target}`) + hidden,
      briefly,
    ),
    ...rowsOf({ "400": ["*"], "405": ["/*", `http://${foreignHost}/*`] }, (target) =>
      request(`OPTIONS ${target}`, "Connection: close"),
    ),
  ];
}

function headers(): Row[] {
  const basic = (text: string): string =>
    `Authorization: Basic ${Buffer.from(text).toString("base64")}`;
  const forged = `x\n9.9.9.9 - - [now] "GET ${smuggled}in-the-log HTTP/1.1" 200 13`;
  const lines: Record<string, readonly string[]> = {
    "400 / 400": listOf(`
      no colon¦: no name¦\0: x¦X\0: x¦X: a\0b¦X Y: x¦X\t: x¦X : x¦ X: x¦\tX: x¦X: a\rb¦X: a\r b¦
      X: a\r\n b¦X: a\r\n\tb¦X: a\r\r${hidden}¦Connection: \0¦Authorization: Basic \0¦GET / HTTP/1.1
    `),
    "200 / 200": listOf(`
      ¦X(: x¦X\u00e4: x¦X: \u00e4¦X: a\r¦X: a\nb: c¦X: a\n\n${hidden}¦
      X: %0d%0a%0d%0a${smuggled}${nameless}¦"X": x¦Connection: Host¦
      Connection: close, Host, Content-Length, X-Forwarded-For¦Keep-Alive: timeout=-1, max=9999999¦
      TE: trailers¦Trailer: Host¦Upgrade: h2c, websocket¦Via: 1.1 x¦Max-Forwards: -1¦Range: lines=1-2¦
      Range: bytes=0-${",0-".repeat(1_000)}¦If-Modified-Since: yesterday¦If-None-Match: "¦
      If-Range: x¦Accept-Encoding: gzip;q=-1, *;q=999¦Accept: */*;q=99999999999999999999¦
      Accept: \x80¦Content-Type: multipart/form-data¦Content-Encoding: gzip¦Cookie: =;=;;¦
      Origin: http://${foreignHost}¦Access-Control-Request-Method: DELETE¦
      X-HTTP-Method-Override: DELETE¦X-Original-URL: /health¦X-Accel-Redirect: /etc/passwd¦
      X-Accel-Limit-Rate: 1¦Proxy: http://foreign.example¦X-Forwarded-Proto: gopher¦
      X-Forwarded-For: ${"1.2.3.4, ".repeat(500)}¦Forwarded: for="_x";host=foreign.example¦
      User-Agent: <script>alert(1)</script>¦User-Agent: %n%n%n%s¦Authorization: Basic !!!¦
      ${basic("user:password")}¦${basic(forged)}¦${basic(`${forged}:x`)}¦${basic("\0:\0")}¦
      ${basic("\x1b[2J:x")}¦Set-Cookie: a=b¦Location: http://foreign.example/¦Status: 500¦
      Content-Length: 0
    `),
    "200 / 400": ["X: \x01\x02", "X: \x7f", "Cookie: \x01"],
    "416 / 200": listOf("Range: bytes=0-18446744073709551615¦Range: bytes=99999-¦Range: bytes=5-1"),
    "206 / 200": ["Range: bytes=-1"],
    "304 / 304": ["If-None-Match: *"],
    "412 / 200": ['If-Match: "x"', "If-Unmodified-Since: 0"],
    "501 / 501": ["Transfer-Encoding: identity"],
  };
  return Object.entries(lines).flatMap(([expected, list]) => {
    const [ofPage = "", ofApi = ""] = expected.split(" / ");
    return [
      ...rowsOf({ [ofPage]: list }, (line) => get("/", line)),
      ...rowsOf({ [ofApi]: list }, (line) => get("/api/hello", line)),
    ];
  });
}

function earlyCloses(): Row[] {
  const chunked = request("GET /api/hello", "Transfer-Encoding: chunked");
  const length = "Content-Length: 100";
  const pages = ["/", "/api/hello", "/jquery.min.js"].map((target) => request(`GET ${target}`));
  const beginnings: ByOutcome = {
    nothing: listOf(`
      ¦G¦GET¦GET /¦GET / HTTP/1.1¦GET / HTTP/1.1\r¦GET / HTTP/1.1\r\n¦GET / HTTP/1.1\r\nHost: loc¦
      GET / HTTP/1.1\r\nHost: localhost\r\n¦GET / HTTP/1.1\r\nHost: localhost\r\n\r
    `),
    "411": [chunked, `${chunked}5\r\nhe`],
    "413": [`${request("GET /", length)}x`, `${request("GET /api/hello", length)}x`],
    "405": [`${request("POST /api/hello", length)}x`],
    // A client that ends its side may be gone: nginx need not respond to all of its requests
    "nothing|cut|(200 )*200( cut)?": [...pages, ...pages.map((page) => page.repeat(50))],
  };
  const all = { "nothing left": Object.values(beginnings).flat() };
  return [
    ...rowsOf(beginnings, undefined, { afterwards: "end" }),
    ...rowsOf(all, undefined, { afterwards: "leave" }),
  ];
}

function pipelines(): Row[] {
  const garbage: ByOutcome = {
    "400": listOf(`
      \0\0\0\0\r\n\r\n¦garbage\r\n\r\n¦\x16\x03\x01\x02\x00\x01¦{}\r\n¦GET / HTTP/1.1\r\n\r\n¦
      get / HTTP/1.1\r\nHost: localhost\r\n\r\n¦HTTP/1.1 200 OK\r\n\r\n¦
      GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n¦ ${hidden}¦\0${hidden}¦0\r\n\r\n${hidden}
    `),
    [`(${unknown})`]: ["GET / HTTP/9.9\r\n\r\n"],
    "405": [
      request("TRACE /", "Connection: close"),
      `${request("POST /api/hello", "Connection: close", "Content-Length: 3")}abc`,
    ],
    "405 open": [`X${hidden}`],
  };
  const after = (status: string, start: string): Row[] =>
    Object.entries(garbage).flatMap(([expected, list]) =>
      rowsOf({ [`${status} ${expected}`]: list }, (bytes) => start + bytes, briefly),
    );
  const page = request("GET /");
  const api = request(`GET ${pipelined}${nameless}`);
  return [
    ...after("200", page),
    ...after("404", api),
    ...after("200", request("HEAD /")),
    // Ordinary pipelining: each request is served once
    [api + next.replace("pipelined-", "pipelined-second-"), "404 404"],
    [page + next, "200 404"],
    [page.repeat(20) + next, "(200 ){20}404"],
    // After `Connection: close` nginx reads no more
    [get("/") + hidden, "200"],
    [get("/api/hello") + hidden, "200"],
    [message("GET /api/hello HTTP/1.0") + hidden, "200"],
    [request("GET /api/hello", "Connection: CLOSE, x") + hidden, "200"],
  ];
}

/** The tables, by what they try. */
export const groups = {
  "request line": requestLines,
  "other protocol": otherProtocols,
  method: methods,
  framing,
  chunking,
  oversized,
  target: targets,
  host: hosts,
  tunnel: tunnels,
  header: headers,
  "early close": earlyCloses,
  pipeline: pipelines,
} as const;
