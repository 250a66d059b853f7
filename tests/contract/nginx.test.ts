import { describe, expect, it } from "vitest";
import { parseNginxConf } from "../../tools/lib/nginx-conf";
import { readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import { balancingProblems } from "./rules/nginx";

it.each(["task6/proxy/proxy.conf", "production/proxy/proxy.conf", "visitor-counter/nginx.conf"])(
  "%s balances over all replicas, as they come and go",
  (file) => {
    expect(balancingProblems(parseNginxConf(readRepositoryFile(file)))).toEqual([]);
  },
);

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

  it("in nothing when it keeps the rules", () => {
    expect(balancingProblems(parseNginxConf(good))).toEqual([]);
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
