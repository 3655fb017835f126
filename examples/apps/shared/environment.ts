// Reads settings from environment variables. A value that cannot be used ends the process with a message that names it.

export function integer(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name}='${text}' is not a whole number`);
  return value;
}

export function text(name: string, fallback: string): string {
  return process.env[name] || fallback;
}

/** A comma-separated list. */
export function list(name: string, fallback: string): string[] {
  return text(name, fallback)
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
