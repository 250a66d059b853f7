import { describe, expect, it } from "vitest";
import { tasks } from "../../tools/grader/repository";
import { root } from "../../tools/lib/course";
import { readPoints } from "../lib/grader-fixtures";
import { readRepositoryFile } from "../lib/task-files";

describe("the reading phase of the grader", () => {
  it.each(tasks)("finds nothing wrong with %s of this repository", async (task) => {
    const points = await readPoints(root, task);
    const judged = points.filter(({ verdict }) => verdict !== "skipped");
    expect(judged.length).toBeGreaterThan(3);
    expect(judged.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  });
});

describe("the course's text prescribes to the letter", () => {
  it("the command in 2-api-servers.txt", () => {
    const command = "docker-compose up --scale back-end=2\n";
    expect(readRepositoryFile("task6/2-api-servers.txt")).toBe(command);
  });

  it.each([
    ["task3", "http://localhost:5252/api/hello"],
    ["task4", "http://localhost:5252/api/hello"],
    ["task5", "/api/hello"],
    ["task6", "/api/hello"],
  ])("the script of %s, the last of its page", (task, url) => {
    const file = `${task}/front-end/softy-pinko-front-end/index.html`;
    const html = readRepositoryFile(file).replace(/\s+/g, "");
    expect(html).toContain(
      `$(function(){$.ajax({type:"GET",url:"${url}",success:function(data){console.log(data);$('#dynamic-content').text(data);}});});</script></body>`,
    );
  });
});
