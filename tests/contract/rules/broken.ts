/**
 * Breaks a good fixture in one place.
 * @throws {Error} when there is no such place: then the fixture would not be broken.
 */
export function broken(good: string, from: string | RegExp, to: string): string {
  const changed = good.replace(from, () => to);
  if (changed === good) throw new Error(`the fixture does not contain ${from}`);
  return changed;
}
