import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configSchema } from './config.ts';

/*
 * The text of .env.example, made from the schema of the settings. Run as a program, this file
 * writes it; test/tidy.test.ts compares the two.
 */

type Setting = readonly [name: string, type: z.ZodType];

/** Each setting belongs to the first group whose pattern its name matches. */
const groups = [
  { title: 'This installation', pattern: /^(INGOT|LOG)_/ },
  { title: 'Temporal', pattern: /^TEMPORAL_/ },
  { title: 'Kafka', pattern: /^KAFKA_/ },
  { title: 'S3, Glue and the lake', pattern: /^(AWS|LAKE)_/ },
  { title: 'Ports of the local stack; all listen on 127.0.0.1', pattern: /^STACK_/ },
  { title: 'Ingest', pattern: /^INGEST_/ },
  { title: 'What is removed, and when', pattern: /^(JANITOR|RETENTION)_/ },
  { title: 'Windows, builds, the engine', pattern: /^/ },
] as const;

const lineMax = 100;

/** Every setting with its description, what it allows, and its default, commented out. */
export function envExample(): string {
  const settings: readonly Setting[] = Object.entries(configSchema.shape);
  const parts = groups.map((group, index) => {
    const lines = settings.filter(([name]) => groupOf(name) === index).map(describeSetting);
    return `# --- ${group.title} ---\n\n${lines.join('\n\n')}`;
  });
  const head = [
    'Settings of Ingot, with their defaults. Copy this file to .env and take the # away from the',
    'lines to change; the verbs of `ingot` read .env from the folder they are started in, and a',
    'variable of the environment wins over it. An empty value is the same as none.',
    '',
    'Made from src/config.ts by src/env-example.ts.',
  ];
  return `${comment(head)}\n\n${parts.join('\n\n')}\n`;
}

function groupOf(name: string): number {
  return groups.findIndex(({ pattern }) => pattern.test(name));
}

function describeSetting([name, type]: Setting): string {
  const { inner, byDefault } = unwrap(type);
  const isOfThisMachine = byDefault?.startsWith(homedir()) === true;
  const sentences = [
    type.description,
    allowedBy(inner),
    isOfThisMachine ? `Default: ~/${relative(homedir(), byDefault)}.` : null,
  ];
  const text = sentences.filter((sentence) => sentence !== null).join(' ');
  return `${comment(wrap(text))}\n# ${name}=${isOfThisMachine ? '' : (byDefault ?? '')}`;
}

function unwrap(type: z.ZodType): { inner: z.ZodType; byDefault: string | null } {
  if (type instanceof z.ZodDefault) {
    return { inner: type.unwrap() as z.ZodType, byDefault: String(type.def.defaultValue) };
  }
  if (type instanceof z.ZodOptional) {
    return { inner: type.unwrap() as z.ZodType, byDefault: null };
  }
  return { inner: type, byDefault: null };
}

/** What the type says by itself; what a pattern wants is told by its description and message. */
function allowedBy(type: z.ZodType): string | null {
  if (type instanceof z.ZodEnum) return `One of: ${type.options.join(', ')}.`;
  if (type instanceof z.ZodNumber)
    return `From ${thousands(type.minValue)} to ${thousands(type.maxValue)}.`;
  if (type instanceof z.ZodCodec) return 'true or false.';
  return null;
}

function thousands(number: number | null): string {
  return (number ?? NaN).toLocaleString('en-US');
}

function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 3 <= lineMax) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

function comment(lines: readonly string[]): string {
  return lines.map((line) => `# ${line}`.trimEnd()).join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL('../.env.example', import.meta.url), envExample());
}
