import { describe, expect, it } from "vitest";
import { gate } from "../../tools/grader/dockerfile-gate";
import { foreignSyntax, neutralize } from "../../tools/grader/dockerfile-syntax";

const unclear = /can be read in more than one way/;
const download = /it downloads .* with ADD/;
const unknown = /cannot be determined/;
const notPublic = /is not in a public registry/;

describe("gate", () => {
  it.each([
    ["one stage", 'FROM ubuntu:latest\nRUN apt-get update\nCMD ["echo", "Hello, World!"]\n'],
    [
      "two stages",
      "FROM node:24-slim AS build\nRUN npm ci\nFROM ubuntu\nCOPY --from=build /app /app\n",
    ],
    ["stages by number", "FROM node\nFROM ubuntu\nCOPY --from=0 /app /app\n"],
    ["a stage in capitals", "FROM node AS Build\nFROM ubuntu\nCOPY --from=BUILD /app /app\n"],
    ["files of a public image", "FROM ubuntu\nCOPY --from=node:24-slim /usr/local /usr/local\n"],
    ["a public registry", "FROM mcr.microsoft.com/devcontainers/base:1\n"],
    ["a user's image on Docker Hub", "FROM bitnami/nginx:1\n"],
    ["a version in an argument", `ARG V=24-slim\nFROM node:\${V}\n`],
    ["an argument's fallback", `FROM node:\${V:-24-slim}\n`],
    ["a cache mount", "FROM node\nRUN --mount=type=cache,target=/root/.npm npm ci\n"],
    ["an added file", "FROM nginx\nADD site.tar.gz /var/www/\n"],
    ["a heredoc that mentions ADD", "FROM nginx\nCOPY <<E /a\nADD http://x/y /z\nE\n"],
    ["a comment that mentions ADD", "FROM nginx\nRUN a \\\n# ADD http://x/y /z\n && b\n"],
    ["no network", "FROM nginx\nRUN --network=none true\n"],
    ["Windows line endings", "FROM ubuntu\r\nRUN true\r\n"],
  ])("accepts %s", (_, dockerfile) => {
    expect(gate(dockerfile)).toBeUndefined();
  });

  it.each([
    ["a download by ADD", "FROM ubuntu\nADD http://127.0.0.1/x /x\n", download, 2],
    ["one in lower case", "from ubuntu\nadd http://127.0.0.1/x /x\n", download, 2],
    ["one in JSON", 'FROM ubuntu\nADD ["http://127.0.0.1/x", "/x"]\n', download, 2],
    ["one after flags", "FROM ubuntu\nADD --chmod=644 http://127.0.0.1/x /x\n", download, 2],
    ["one as a second source", "FROM ubuntu\nADD a http://127.0.0.1/x /x/\n", download, 2],
    ["one over lines", "FROM ubuntu\nADD \\\n# comment\n\\\nhttp://127.0.0.1/x /x\n", download, 2],
    ["a later one", "FROM ubuntu\nONBUILD ADD http://127.0.0.1/x /x\n", download, 2],
    ["one in an unused stage", "FROM ubuntu\nADD http://x/y /x\nFROM nginx\n", download, 2],
    ["one with quotes inside", 'FROM ubuntu\nADD ht"tp:"//127.0.0.1/x /x\n', download, 2],
    ["one by git", "FROM ubuntu\nADD git@127.0.0.1:x.git /x\n", download, 2],
    ["one from GitHub", "FROM ubuntu\nADD github.com/a/b /x\n", download, 2],
    ["one in a variable", "FROM ubuntu\nARG U=http://127.0.0.1/x\nADD $U /x\n", unknown, 3],
    ["one after an escape", "# escape=`\nFROM ubuntu\nADD `\nhttp://127.0.0.1/x /x\n", download, 3],
    ["a private registry", "FROM registry.example/secret\n", notPublic, 1],
    ["a registry with a port", "FROM ubuntu\nCOPY --from=127.0.0.1:5000/x /a /a\n", notPublic, 2],
    ["localhost", "FROM localhost/x\n", notPublic, 1],
    ["one in a mount", "FROM ubuntu\nRUN --mount=from=localhost/x,target=/x true\n", notPublic, 2],
    ["a registry in an argument", "ARG R=localhost\nFROM $R/x\n", notPublic, 2],
    ["a registry in a fallback", `FROM \${R:-localhost/x}\n`, notPublic, 1],
    ["an image in an unknown variable", "FROM ubuntu\nCOPY --from=$X /a /a\n", unknown, 2],
    ["an argument of BuildKit's", "FROM $TARGETARCH/x\n", unknown, 1],
    ["a command as the image", "FROM ../../etc:$(id)\n", unknown, 1],
    ["an unsupported substitution", `ARG A=b\nFROM \${A#x}localhost/x\n`, unknown, 2],
    ["the host's network", "FROM ubuntu\nRUN --network=host true\n", /host's network/, 2],
    ["a privileged command", "FROM ubuntu\nRUN --security=insecure true\n", /--security/, 2],
    ["a device", "FROM ubuntu\nRUN --device=vendor/x true\n", /--device/, 2],
    ["a flag without a value", "FROM ubuntu\nRUN --mount type=bind true\n", unclear, 2],
    ["a trigger of a trigger", "FROM ubuntu\nONBUILD ONBUILD RUN true\n", unclear, 2],
  ])("refuses %s", (_, dockerfile, cause, line) => {
    expect(gate(dockerfile)).toMatchObject({ cause: expect.stringMatching(cause), line });
  });

  it("reads an image's name with the arguments that the compose file gives", () => {
    const dockerfile = "ARG BASE=ubuntu\nFROM $BASE\n";
    expect(gate(dockerfile, { BASE: "nginx" })).toBeUndefined();
    expect(gate(dockerfile, { BASE: "localhost/x" })).toMatchObject({ line: 2 });
  });
});

describe("foreignSyntax", () => {
  it.each([
    ["FROM ubuntu\n", undefined],
    ["# syntax=docker/dockerfile:1\nFROM ubuntu\n", undefined],
    ["# syntax = docker.io/docker/dockerfile:1.7-labs\nFROM ubuntu\n", undefined],
    ["# a comment\n# syntax=a/b\nFROM ubuntu\n", "a/b"],
    ["#syntax=docker/dockerfile-evil\nFROM ubuntu\n", "docker/dockerfile-evil"],
    ["#SYNTAX=a/b:1\r\nFROM ubuntu\r\n", "a/b:1"],
    ["#!/usr/bin/x\n# escape=`\n// syntax=a/b\nFROM ubuntu\n", "a/b"],
    ["\uFEFF# syntax=a/b\nFROM ubuntu\n", "a/b"],
    ["\uFEFF\uFEFF\u00a0#\u00a0syntax\u00a0=a/b\nFROM ubuntu\n", "a/b"],
    ['{"syntax": "a/b"}\n', "JSON"],
    ['#!/x\n  {"syntax": "a/b"}\n', "JSON"],
    ["\uFFFD\uFFFDF\0R\0O\0M\0", "something that is not UTF-8"],
    ["FROM ubuntu\n# syntax=a/b\n", undefined],
  ])("%j asks for %s", (text, expected) => {
    expect(foreignSyntax(text)).toBe(expected);
  });
});

describe("neutralize", () => {
  it.each([
    ["nothing to take off", "FROM ubuntu\n# syntax=a/b\n", "FROM ubuntu\n# syntax=a/b\n"],
    ["directives", "# syntax=a/b\n\n# check=skip=all\nFROM ubuntu\n", "#\n\n#\nFROM ubuntu\n"],
    ["all but escape", "# syntax=a/b\n# escape=`\nFROM a\n", "# escape=`\n#\nFROM a\n"],
    ["other forms", '\uFEFF// syntax=a/b\n{"syntax": 1}\nFROM a\n', "#\n#\nFROM a\n"],
  ])("takes off %s, and keeps the lines' numbers", (_, text, expected) => {
    expect(neutralize(text)).toBe(expected);
  });
});
