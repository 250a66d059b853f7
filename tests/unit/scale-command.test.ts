import { describe, expect, it } from "vitest";
import {
  exactCommand,
  findCommand,
  judgeBytes,
  judgeMeaning,
} from "../../tools/grader/scale-command";

const file = "task6/2-api-servers.txt";
const services = ["back-end", "front-end", "proxy"];

describe("judgeBytes", () => {
  it("accepts the text's command and one newline", () => {
    expect(judgeBytes(exactCommand, file)).toBeUndefined();
  });

  it.each([
    [
      "docker-compose up --scale back-end=2\r\n",
      'it is "docker-compose up --scale back-end=2\\r\\n"',
    ],
    ["docker-compose up --scale back-end=2", 'it is "docker-compose up --scale back-end=2"'],
    ["\uFEFFdocker-compose up", 'it is "\\ufeffdocker-compose up"'],
  ])("reports a deviation in %j", (text, cause) => {
    expect(judgeBytes(text, file)).toMatchObject({ verdict: "deviation", cause, file, line: 1 });
  });
});

describe("findCommand", () => {
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
  ])("finds the command in %j", (text, line, scale) => {
    expect(findCommand(text)).toMatchObject({ line, scale });
  });

  it.each(["", "docker-compose build\n", "docker up --scale back-end=2", "# docker-compose up"])(
    "finds no command in %j",
    (text) => {
      expect(findCommand(text)).toBeUndefined();
    },
  );
});

describe("judgeMeaning", () => {
  it.each([
    [exactCommand, "back-end"],
    ["docker-compose up --scale back-end=2 --scale proxy=1", "back-end"],
    ["# two servers\ndocker-compose up --scale api=2", "api"],
  ])("finds two API servers in %j", (text, api) => {
    expect(judgeMeaning(text, api, [...services, "api"], file)).toBeUndefined();
  });

  it.each([
    ["echo two", "it contains no docker-compose up"],
    ["docker-compose up", "it does not scale the API's service, back-end"],
    ["docker-compose up --scale proxy=2", "it does not scale the API's service, back-end"],
    ["docker-compose up --scale back-end=1", "it starts 1 replica of the API, not two"],
    ["docker-compose up --scale back-end=3", "it starts 3 replicas of the API, not two"],
    [
      "docker-compose up --scale backend=2",
      "it scales backend, which is not a service; the services are back-end, front-end, proxy",
    ],
  ])("finds something else in %j", (text, cause) => {
    expect(judgeMeaning(text, "back-end", services, file)).toMatchObject({
      verdict: "fail",
      cause,
      hint: expect.any(String),
      file,
    });
  });
});
