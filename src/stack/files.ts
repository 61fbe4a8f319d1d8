import { access, open } from 'node:fs/promises';

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** The last lines of a file that may be large; empty when it cannot be read. */
export async function tailOfFile(path: string, count: number): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) {
    return '';
  }
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 32_768);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return lastLines(buffer.toString('utf8'), count);
  } finally {
    await file.close();
  }
}
