import type { BuildOptions } from 'esbuild';

export function program(rootUrl: URL, file: string): Promise<string[]>;
export function esmodules(rootUrl: URL): BuildOptions;
export function stateOfSources(rootUrl: URL): Promise<string>;
