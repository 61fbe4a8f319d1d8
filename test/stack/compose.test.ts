import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';
import { stackParts } from '../../src/stack/stack.ts';

type Service = {
  readonly image?: string;
  readonly ports?: readonly string[];
  readonly healthcheck?: object;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
};
type Compose = { readonly services: Readonly<Record<string, Service>>; readonly volumes: object };

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('docker-compose.temporal.yml', () => {
  const compose = parse(read('docker-compose.temporal.yml'), { merge: true }) as Compose;
  const services = Object.entries(compose.services);

  describe('the Compose Specification', () => {
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    const isCompose = ajv.compile(JSON.parse(read('test/support/compose-spec.json')) as object);

    it('accepts the file', () => {
      assert.ok(isCompose(compose), ajv.errorsText(isCompose.errors));
    });

    it('refuses a file with a word that it does not know', () => {
      assert.equal(isCompose({ services: { kafka: { image: 'kafka', port: ['9092'] } } }), false);
    });
  });

  it('has the services that `ingot up` looks for', () => {
    const wanted = stackParts.flatMap((part) => part.services);
    assert.deepEqual(
      wanted.filter((name) => compose.services[name] === undefined),
      [],
    );
  });

  it('publishes every port on 127.0.0.1 only', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    assert.ok(published.length > 0);
    assert.deepEqual(
      published.filter((port) => !port.startsWith('127.0.0.1:')),
      [],
    );
  });

  it('names a version of every image', () => {
    const images = services.flatMap(([, { image }]) => (image === undefined ? [] : [image]));
    assert.deepEqual(
      images.filter((image) => !/:\d+(\.\d+)*(-\w+)?$/.test(image)),
      [],
    );
  });

  it('runs the versions that `ingot up` runs', () => {
    const folders = stackParts.map((part) => part.toolFolder);
    assert.equal(compose.services['kafka']?.image?.replace('apache/kafka:', 'kafka-'), folders[1]);
    const installed = /ministack==(\S+)/.exec(read('Dockerfile'))?.[1];
    assert.equal(`ministack-${installed}`, folders[2]);
  });

  it('tells of every server when it is healthy, and waits for that', () => {
    const unwatched = services.filter(
      ([name, { healthcheck }]) => healthcheck === undefined && !name.endsWith('-worker'),
    );
    assert.deepEqual(unwatched, []);
    const conditions = services.flatMap(([, { depends_on = {} }]) => Object.values(depends_on));
    assert.ok(conditions.every(({ condition }) => condition === 'service_healthy'));
  });

  it('declares every volume that it uses', () => {
    const used = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(':')[0]),
    );
    assert.deepEqual(new Set(used), new Set(Object.keys(compose.volumes)));
  });
});
