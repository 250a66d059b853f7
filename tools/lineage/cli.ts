import pc from "picocolors";
import { commandLine, main } from "../lib/cli";
import { root } from "../lib/course";
import { type Descent, descents } from "./declared";
import { carryForward, findDepartures, listChanges } from "./lineage";

main(async () => {
  const program = commandLine("npm run lineage --")
    .description("Each step is a copy of the one before with a declared change: show the changes.")
    .option("--carry", "carry what was edited in a step into all the steps after it")
    .parse();
  const { carry = false } = program.opts<{ carry?: boolean }>();
  return carry ? carryAll() : showAll();
});

async function showAll(): Promise<number> {
  let departed = false;
  for (const descent of descents) {
    print(pc.bold(heading(descent)));
    const changes = await listChanges(root, descent);
    const width = Math.max(...changes.map(({ file }) => file.length));
    for (const { kind, file, inserted, deleted } of changes) {
      const size = kind === "added" ? `+${inserted}` : `+${inserted} −${deleted}`;
      print(`  ${kind.padEnd(7)}  ${file.padEnd(width)}  ${size}`);
    }
    for (const { task, file, problem } of await findDepartures(root, descent)) {
      departed = true;
      print(pc.red(`  wrong    ${task}/${file} ${problem}`));
    }
  }
  if (departed)
    print("\nCarry the change forward (--carry), or declare it in tools/lineage/declared.ts.");
  return departed ? 1 : 0;
}

async function carryAll(): Promise<number> {
  let count = 0;
  for (const descent of descents) {
    const carried = await carryForward(root, descent);
    for (const { how, file } of carried) print(`${how.padEnd(8)}  ${file}`);
    count += carried.length;
    if (carried.some(({ how }) => how === "conflict")) {
      print("\nResolve the conflict marks, then run it again for the steps that follow.");
      return 1;
    }
  }
  if (count === 0) print("Nothing to carry: every step has what its predecessor has.");
  return 0;
}

function heading({ task, from, movedTo }: Descent): string {
  return `${task} is ${from}${movedTo === "" ? "" : `, moved into ${movedTo},`} with`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
