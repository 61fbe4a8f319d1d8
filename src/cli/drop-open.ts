import { createS3Client } from '../adapters/aws-clients.ts';
import { createS3ObjectStore } from '../adapters/s3-object-store.ts';
import type { Config } from '../config.ts';
import type { ObjectStore } from '../ports.ts';
import type { CliContext } from './context.ts';
import { configForAsking } from './demo-settings.ts';

/** The bucket that holds the drop folder, and the settings that name it. */
export async function openDropFolder(
  context: CliContext,
): Promise<{ readonly config: Config; readonly objects: ObjectStore }> {
  const { config, demo } = await configForAsking(context.env);
  if (demo !== null) context.console.say(`In ${demo}, the demo that was left running.`);
  const client = createS3Client(config);
  return { config, objects: createS3ObjectStore({ client, bucket: config.lakeBucket }) };
}
