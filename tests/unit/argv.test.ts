import { expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";

it.each([
  [argv`ps --all`, ["ps", "--all"]],
  [
    argv`
      up --detach
      --wait
    `,
    ["up", "--detach", "--wait"],
  ],
  [argv`ps --filter=name=${"a b"}x --all`, ["ps", "--filter=name=a bx", "--all"]],
  [argv`image rm ${["one", "the other"]} --force`, ["image", "rm", "one", "the other", "--force"]],
  [argv`image rm ${[]}`, ["image", "rm"]],
  [argv`exec ${""} ls`, ["exec", "", "ls"]],
  [argv`--timeout=${2}`, ["--timeout=2"]],
])("splits at white space and keeps each value whole (case %#)", (args, expected) => {
  expect(args).toEqual(expected);
});
