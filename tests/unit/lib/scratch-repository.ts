import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { argv } from "../../../tools/lib/argv";
import { run } from "../../../tools/lib/run";

/** A git repository in a temporary folder. Paths are relative to it. */
export class ScratchRepository {
  private constructor(readonly folder: string) {}

  /** @returns A repository whose only commit holds these files. */
  static async of(files: Record<string, string>): Promise<ScratchRepository> {
    const repository = new ScratchRepository(await mkdtemp(path.join(tmpdir(), "lineage-")));
    await repository.git(argv`init --quiet`);
    await repository.write(files);
    await repository.commit();
    return repository;
  }

  async write(files: Record<string, string>): Promise<void> {
    for (const [file, content] of Object.entries(files)) {
      const target = path.join(this.folder, file);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, content);
    }
  }

  async read(file: string): Promise<string> {
    return readFile(path.join(this.folder, file), "utf8");
  }

  async delete(file: string): Promise<void> {
    await rm(path.join(this.folder, file));
  }

  /** Commits everything, independently of the user's git configuration. */
  async commit(): Promise<void> {
    await this.git(argv`add --all`);
    const author = argv`-c user.name=Test -c user.email=test@localhost`;
    await this.git(argv`${author} -c commit.gpgsign=false commit --quiet -m files`);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }

  private async git(args: readonly string[]): Promise<void> {
    await run("git", args, { cwd: this.folder });
  }
}
