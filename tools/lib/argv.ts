/**
 * Splits a command line into arguments at white space: argv`ps --all --filter=label=${label}`.
 * @param values Inserted whole, spaces included; an array gives an argument for each element.
 */
export function argv(
  strings: TemplateStringsArray,
  ...values: (string | number | readonly string[])[]
): string[] {
  const args: string[] = [];
  let isOpen = false;
  const append = (text: string): void => {
    args.push(isOpen ? `${args.pop()}${text}` : text);
    isOpen = true;
  };
  for (const [index, text] of strings.entries()) {
    for (const [position, piece] of text.split(/\s+/).entries()) {
      if (position > 0) isOpen = false;
      if (piece !== "") append(piece);
    }
    const value = values[index];
    if (typeof value === "object") args.push(...value);
    else if (value !== undefined) append(String(value));
  }
  return args;
}
