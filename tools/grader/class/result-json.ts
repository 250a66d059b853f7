import { isConsequence } from "../score";
import { type Member, pointsOf } from "./member";

/**
 * Renders a result for Classroom 50: one test a point, which is worth 1. A point that could not be
 * judged on this machine is worth 0: it is not the learner's fault.
 * https://github.com/foundation50/classroom50/wiki/Advanced-Autograding#the-resultjson-contract
 * @param member A graded repository.
 * @param env What Classroom 50's runner says about the submission. It is left out for a class that is
 *   graded elsewhere, where the folders' names and the digest stand for it.
 */
export function renderResult(member: Member, env: NodeJS.ProcessEnv): string {
  const datetime = member.graded?.toISOString().replace(/\.\d+Z$/, "Z");
  const submission = `submit/${datetime?.replaceAll(":", "-")}-${member.digest?.slice(0, 7)}`;
  const tests = pointsOf(member).map((point) => {
    const { id, verdict } = point;
    const passed = verdict === "pass" || verdict === "deviation";
    const isJudged = verdict !== "skipped" || isConsequence(point);
    return {
      "test-name": id,
      passed,
      score: passed ? 1 : 0,
      "max-score": isJudged ? 1 : 0,
      verdict,
    };
  });
  const sum = (field: "score" | "max-score"): number =>
    tests.reduce((total, test) => total + test[field], 0);
  const result = {
    schema: "classroom50/result/v1",
    classroom: env.CLASSROOM || "softy-pinko",
    assignment: env.ASSIGNMENT || "softy-pinko-docker",
    assignment_type: env.ASSIGNMENT_TYPE || "individual",
    owner: env.OWNER || env.USERNAME || member.output,
    submission: env.SUBMISSION_TAG || submission,
    commit: env.COMMIT_URL || submission,
    release: env.RELEASE_URL || submission,
    review: env.REVIEW_URL || env.COMMIT_URL || submission,
    datetime,
    graded_at: datetime,
    score: sum("score"),
    "max-score": sum("max-score"),
    tests,
  };
  return `${JSON.stringify(result, null, 2)}\n`;
}
