import pc from "picocolors";
import { commandLine, main } from "../lib/cli";
import { root } from "../lib/course";
import { descents } from "./declared";
import { carryForward, findDepartures, listChanges } from "./lineage";

main(async () => {
  const program = commandLine("npm run lineage --")
    .description(
      "Shows what each step changes of the one before, and files that differ undeclared.",
    )
    .option("--carry", "carry edits of a step into all later steps")
    .parse();
  const { carry = false } = program.opts<{ carry?: boolean }>();
  return carry ? carryAll() : showAll();
});

async function showAll(): Promise<number> {
  let exitCode = 0;
  for (const descent of descents) {
    const { task, from, movedTo = "" } = descent;
    print(pc.bold(`${task} is ${from}${movedTo === "" ? "" : `, moved into ${movedTo},`} with`));
    const changes = await listChanges(root, descent);
    const width = Math.max(...changes.map(({ file }) => file.length));
    for (const { kind, file, inserted, deleted } of changes) {
      const size = kind === "added" ? `+${inserted}` : `+${inserted} −${deleted}`;
      print(`  ${kind.padEnd(7)}  ${file.padEnd(width)}  ${size}`);
    }
    for (const departure of await findDepartures(root, descent)) {
      exitCode = 1;
      print(pc.red(`  wrong    ${task}/${departure}`));
    }
  }
  if (exitCode === 1) {
    print("\nCarry the change forward (--carry), or declare it in tools/lineage/declared.ts.");
  }
  return exitCode;
}

async function carryAll(): Promise<number> {
  let count = 0;
  for (const descent of descents) {
    const carried = await carryForward(root, descent);
    for (const { how, file } of carried) print(`${how.padEnd(8)}  ${file}`);
    count += carried.length;
    if (carried.some(({ how }) => how === "conflict")) {
      print("\nResolve the conflicts, then run it again for the later steps.");
      return 1;
    }
  }
  if (count === 0) print("Nothing to carry forward.");
  return 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
