import { describe, expect, it } from "vitest";
import {
  exactCommand,
  findCommand,
  judgeBytes,
  judgeMeaning,
} from "../../tools/grader/scale-command";

const file = "task6/2-api-servers.txt";
const services = ["back-end", "front-end", "proxy"];

describe("the bytes of 2-api-servers.txt", () => {
  it("are the text's command and one newline", () => {
    expect(judgeBytes(exactCommand, file)).toBeUndefined();
  });

  it.each([
    [
      "docker-compose up --scale back-end=2\r\n",
      'it is "docker-compose up --scale back-end=2\\r\\n"',
    ],
    ["docker-compose up --scale back-end=2", 'it is "docker-compose up --scale back-end=2"'],
    ["\uFEFFdocker-compose up", 'it is "\\ufeffdocker-compose up"'],
  ])("%j is a deviation", (text, cause) => {
    expect(judgeBytes(text, file)).toMatchObject({ verdict: "deviation", cause, file, line: 1 });
  });
});

describe("the command in 2-api-servers.txt", () => {
  it.each([
    ["docker-compose up --scale back-end=2", 1, { "back-end": 2 }],
    ["docker compose up -d --scale back-end=2", 1, { "back-end": 2 }],
    ["docker-compose up --scale=back-end=2", 1, { "back-end": 2 }],
    ['docker-compose up --scale "back-end=2"', 1, { "back-end": 2 }],
    ["docker-compose -f compose.yml up --build --scale back-end=2", 1, { "back-end": 2 }],
    ["docker-compose up --scale a=2 --scale b=3", 1, { a: 2, b: 3 }],
    ["# how to\n\n$ docker-compose up --scale back-end=2\n", 3, { "back-end": 2 }],
    ["docker-compose build\r\ndocker-compose up --scale back-end=2\r\n", 2, { "back-end": 2 }],
    ["\uFEFFdocker-compose up", 1, {}],
    ["docker-compose up --scale back-end", 1, {}],
  ])("is found in %j", (text, line, scale) => {
    expect(findCommand(text)).toMatchObject({ line, scale });
  });

  it.each(["", "docker-compose build\n", "docker up --scale back-end=2", "# docker-compose up"])(
    "is not there in %j",
    (text) => {
      expect(findCommand(text)).toBeUndefined();
    },
  );
});

describe("the meaning of 2-api-servers.txt", () => {
  it.each([
    exactCommand,
    "docker compose up -d --scale back-end=2",
    "docker-compose up --scale back-end=2 --scale proxy=1",
    "# two servers\ndocker-compose up --scale back-end=2",
  ])("is two API servers in %j", (text) => {
    expect(judgeMeaning(text, "back-end", services, file)).toBeUndefined();
  });

  it("is told by the service's own name", () => {
    const text = "docker-compose up --scale api=2";
    expect(judgeMeaning(text, "api", ["api", "web"], file)).toBeUndefined();
  });

  it.each([
    ["echo two", "it contains no docker-compose up"],
    ["docker-compose up", "it does not scale the API's service, back-end"],
    ["docker-compose up --scale proxy=2", "it does not scale the API's service, back-end"],
    ["docker-compose up --scale back-end=0", "it starts 0 replicas of the API, not two"],
    ["docker-compose up --scale back-end=1", "it starts 1 replica of the API, not two"],
    ["docker-compose up --scale back-end=3", "it starts 3 replicas of the API, not two"],
    [
      "docker-compose up --scale backend=2",
      "it scales backend, which is not a service; the services are back-end, front-end, proxy",
    ],
  ])("is something else in %j", (text, cause) => {
    expect(judgeMeaning(text, "back-end", services, file)).toMatchObject({
      verdict: "fail",
      cause,
      hint: expect.any(String),
      file,
    });
  });
});
