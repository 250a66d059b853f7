import { expect, it } from "vitest";
import { exactCommand, findCommand, judgeMeaning } from "../../tools/grader/scale-command";

const services = ["back-end", "front-end", "proxy"];

it.each([
  [exactCommand, 1, { "back-end": 2 }],
  ["docker compose up -d --scale back-end=2", 1, { "back-end": 2 }],
  ["docker-compose up --scale=back-end=2", 1, { "back-end": 2 }],
  ['docker-compose up --scale "back-end=2"', 1, { "back-end": 2 }],
  ["docker-compose -f compose.yml up --build --scale a=2 --scale b=3", 1, { a: 2, b: 3 }],
  ["# how to\n\n$ docker-compose up --scale back-end=2\n", 3, { "back-end": 2 }],
  ["docker-compose build\r\ndocker-compose up --scale back-end=2\r\n", 2, { "back-end": 2 }],
  ["\uFEFFdocker-compose up --scale back-end", 1, {}],
])("findCommand finds the command in %j", (text, line, scale) => {
  expect(findCommand(text)).toEqual({ line, scale });
});

it.each(["", "docker-compose build\n", "docker up --scale back-end=2", "# docker-compose up"])(
  "findCommand finds no command in %j",
  (text) => {
    expect(findCommand(text)).toBeUndefined();
  },
);

it.each([
  ["docker-compose up --scale back-end=2 --scale proxy=1", "back-end"],
  ["docker-compose up --scale front-end=2", "front-end"],
])("judgeMeaning accepts %j", (text, api) => {
  expect(() => judgeMeaning(text, api, services, "file")).not.toThrow();
});

it.each([
  ["echo two", "it contains no docker-compose up"],
  ["docker-compose up --scale proxy=2", "it does not scale the API's service, back-end"],
  ["docker-compose up --scale back-end=1", "it starts 1 replica of the API, not two"],
  ["docker-compose up --scale back-end=3", "it starts 3 replicas of the API, not two"],
  [
    "docker-compose up --scale backend=2",
    "it scales backend, which is not a service; the services are back-end, front-end, proxy",
  ],
])("judgeMeaning rejects %j", (text, cause) => {
  expect(() => judgeMeaning(text, "back-end", services, "file")).toThrow(cause);
});
