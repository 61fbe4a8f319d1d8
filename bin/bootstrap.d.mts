type Environment = Readonly<Record<string, string | undefined>>;

export function runEnvironment(env?: Environment): Environment;
