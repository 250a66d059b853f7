import { expect, it } from "vitest";
import { tasks } from "../../tools/grader/repository";
import { root } from "../../tools/lib/course";
import { readPoints } from "../lib/grader-fixtures";
import { readRepositoryFile } from "../lib/task-files";

it.each(tasks)("the reading phase of the grader passes %s at every point", async (task) => {
  const points = await readPoints(root, task);
  const judged = points.filter(({ verdict }) => verdict !== "skipped");
  expect(judged.length).toBeGreaterThan(3);
  expect(judged.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
});

// The grader accepts other scripts with the same effect
it.each([
  ["task3", "http://localhost:5252/api/hello"],
  ["task4", "http://localhost:5252/api/hello"],
  ["task5", "/api/hello"],
  ["task6", "/api/hello"],
])("the script of %s is the text's, to the letter", (task, url) => {
  const file = `${task}/front-end/softy-pinko-front-end/index.html`;
  const html = readRepositoryFile(file).replace(/\s+/g, "");
  const script = [
    `$(function(){$.ajax({type:"GET",url:"${url}",`,
    "success:function(data){console.log(data);$('#dynamic-content').text(data);}});});",
  ].join("");
  expect(html).toContain(`${script}</script></body>`);
});
