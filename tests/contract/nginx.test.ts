import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseNginxConf } from "../../tools/lib/nginx-conf";
import { folders, readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import { balancingProblems, proxyProblems, siteProblems } from "./rules/nginx";

const confOf = (...file: string[]) => parseNginxConf(readRepositoryFile(...file));

describe("the conf of", () => {
  it.each(folders.frontEnds)("%s is one server for the site on port 9000", (folder) => {
    expect(siteProblems(confOf(folder, "softy-pinko-front-end.conf"))).toEqual([]);
  });

  it.each(["task5", "task6"])("%s/proxy sends / and /api to services of its stack", (task) => {
    const compose = parse(readRepositoryFile(task, "docker-compose.yml")) as {
      services: Record<string, unknown>;
    };
    const services = Object.keys(compose.services);
    expect(proxyProblems(confOf(task, "proxy/proxy.conf"), services)).toEqual([]);
  });

  it("task6/proxy takes turns over all replicas, as they come and go", () => {
    expect(balancingProblems(confOf("task6/proxy/proxy.conf"))).toEqual([]);
  });
});

describe("a site's conf fails", () => {
  const good = `server {
  listen 9000;
  server_name softy-pinko-front-end;
  root /var/www/html/softy-pinko-front-end;
  location / {
    index index.html;
  }
}
`;

  it("in nothing when it keeps the rules", () => {
    expect(siteProblems(parseNginxConf(good))).toEqual([]);
  });

  it.each([
    ["another port", "9000", "80", "it listens on 80, not 9000"],
    ["a second port", "listen 9000;", "listen 9000; listen [::]:80;", "listens on 9000, 80, not"],
    ["no port", "listen 9000;", "", "it listens on nothing it names, not 9000"],
    ["no name", /server_name.*\n/, "", "no server_name"],
    ["no location", /location \/ ({[^}]*})/, "index index.html;", "no location"],
    ["no index", "index index.html;", "", "no index"],
    ["another root", "/var/www/html", "/usr/share/nginx", "its root is not /var/www/html/softy"],
    ["two servers", /$/, "server { listen 9000; }", "there are 2 server blocks"],
    ["a further section", /^/, "upstream a { server b:1; }\n", "line 1: upstream stands beside"],
  ])("with %s", (_, from, to, problem) => {
    const problems = siteProblems(parseNginxConf(broken(good, from, to)));
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });
});

describe("a proxy's conf fails", () => {
  const good = `resolver 127.0.0.11 valid=1s;
upstream front-end {
  zone front-end 64k;
  server front-end:9000 resolve;
}
upstream back-end {
  zone back-end 64k;
  server back-end:5252 resolve;
}
server {
  listen 80;
  server_name localhost;
  location / {
    proxy_pass http://front-end;
  }
  location /api {
    proxy_pass http://back-end;
  }
}
`;
  const services = ["back-end", "front-end", "proxy"];

  it("in nothing when it keeps the rules", () => {
    const conf = parseNginxConf(good);
    expect([...proxyProblems(conf, services), ...balancingProblems(conf)]).toEqual([]);
  });

  it.each([
    ["another port", "listen 80", "listen 8080", ["it listens on 8080, not 80"]],
    ["the API's port wrong", ":5252", ":5000", ["upstream back-end is not back-end:5252"]],
    [
      "a host that is no service",
      "server back-end:",
      "server api:",
      ["upstream back-end is not back-end:5252", "line 8: api:5252 is no service"],
    ],
    [
      "a path that is cut",
      "http://back-end;",
      "http://back-end/;",
      ["line 17: the URI / replaces"],
    ],
    ["a path of its own", "http://back-end;", "http://back-end/v1;", ["the URI /v1 replaces"]],
    [
      "an upstream that is none",
      "http://back-end;",
      "http://api;",
      ["line 17: http://api is no upstream", "location /api goes to http://api, not to back-end"],
    ],
    [
      "the API's place taken",
      "http://back-end;",
      "http://front-end;",
      ["location /api goes to http://front-end, not to back-end"],
    ],
    [
      "an upstream that is none, by a variable",
      /\}\n$/,
      "  location @again {\n    proxy_pass http://$who-again;\n  }\n}\nmap $uri $who {\n  ~^/api api;\n}\n",
      ["line 20: http://api-again is no upstream"],
    ],
    ["no place for the API", "location /api", "location /v1", ["no location /api"]],
    ["another place for the API", "location /api", "location /api/", ["no location /api"]],
    ["no front-end", "location / ", "location /site ", ["no location /"]],
  ])("with %s", (_, from, to, problems) => {
    const found = proxyProblems(parseNginxConf(broken(good, from, to)), services);
    expect(found).toEqual(problems.map((problem) => expect.stringContaining(problem)));
  });

  it.each([
    ["no shared memory", "zone back-end 64k;", "", "back-end: each worker rotates by itself"],
    ["one look-up for ever", "5252 resolve", "5252", "back-end: new replicas are not noticed"],
    ["weights", "5252 resolve", "5252 resolve weight=2", "back-end: weights are not round robin"],
    ["another method", "zone back-end 64k;", "zone b 64k; ip_hash;", "ip_hash is not round robin"],
  ])("to balance with %s", (_, from, to, problem) => {
    const problems = balancingProblems(parseNginxConf(broken(good, from, to)));
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    ["no resolver", /resolver.*\n/, ""],
    ["a resolver elsewhere", "127.0.0.11", "1.1.1.1"],
    ["an answer that holds ten minutes", " valid=1s", ""],
  ])("to balance with %s", (_, from, to) => {
    expect(balancingProblems(parseNginxConf(broken(good, from, to)))).toEqual([
      "front-end: Docker's DNS is not asked each second",
      "back-end: Docker's DNS is not asked each second",
    ]);
  });
});
