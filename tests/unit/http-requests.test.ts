import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestName } from '../../contract/api.ts';
import { requests } from '../../contract/api.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { parseRequest } from '../../host/http/api.ts';

const NAMES = Object.keys(requests) as RequestName[];
const anyName = fc.constantFrom(...NAMES);
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });

/** Bodies that must be accepted, for requests of every shape in the contract. */
const valid: Partial<Record<RequestName, fc.Arbitrary<object>>> = {
  'app.info': fc.constant({}),
  'datasets.get': fc.record({ id: text }),
  'images.get': fc.record({ id: fc.integer() }),
  'images.query': fc.record({
    datasetId: text,
    filter: fc.record(
      {
        domains: fc.array(fc.string()),
        labels: fc.array(fc.string()),
        text: fc.string(),
        studyId: fc.string(),
        split: fc.constantFrom('train', 'test', 'unused'),
      },
      { requiredKeys: [] },
    ),
    offset: fc.nat(),
    limit: fc.integer({ min: 1, max: 1000 }),
  }),
  'studies.check': fc.record({ yaml: fc.string() }),
  'compare.images': fc.record({
    a: text,
    b: text,
    split: fc.constantFrom('train', 'test'),
    cell: fc.constantFrom('bothRight', 'onlyARight'),
    sort: fc.constantFrom('path', 'difference'),
    offset: fc.nat(),
    limit: fc.integer({ min: 1, max: 1000 }),
  }),
};
const validCase = fc
  .constantFrom(...(Object.keys(valid) as RequestName[]))
  .chain((name) => valid[name]!.map((body) => ({ name, body })));

function refusedBody(name: string, body: string): CarryoverError {
  try {
    parseRequest(name, body);
  } catch (error) {
    expect(error).toBeInstanceOf(CarryoverError);
    return error as CarryoverError;
  }
  throw new Error(`${name} accepted ${body}`);
}

describe('parseRequest', () => {
  test.each([
    { std: [0, 0, 0] },
    { std: [0.2, -0.2, 0.2] },
    { mean: [0, 1] },
    { size: 0 },
    { size: 1.5 },
    { crop: 0 },
    { crop: 1.5 },
  ])('refuses to import weights with %j, which no image can be fed by', (preprocessing) => {
    const body = { path: 'net.pth', name: 'net', preprocessing };
    const { message } = refusedBody('checkpoints.import', JSON.stringify(body));
    expect(message).toContain(`preprocessing.${Object.keys(preprocessing)[0]}`);
  });

  test('gives a valid body back as it was', () => {
    fc.assert(
      fc.property(validCase, ({ name, body }) => {
        expect(parseRequest(name, JSON.stringify(body))).toEqual(JSON.parse(JSON.stringify(body)));
      }),
    );
  });

  test('accepts or refuses whatever comes, and never fails otherwise', () => {
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.oneof(anyName, fc.string()), body, (name, json) => {
        try {
          expect(parseRequest(name, json)).toBeTypeOf('object');
        } catch (error) {
          expect(error).toBeInstanceOf(CarryoverError);
          const expected = NAMES.includes(name as RequestName) ? 'bad-input' : 'not-found';
          expect((error as CarryoverError).code).toBe(expected);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('refuses a key that the contract does not know, and names it', () => {
    const unknown = fc.string({ minLength: 1 }).filter((key) => !(key in {}) && key !== 'cell');
    fc.assert(
      fc.property(validCase, unknown, fc.jsonValue(), ({ name, body }, key, value) => {
        fc.pre(!(key in body) && key !== 'label');
        const error = refusedBody(name, JSON.stringify({ ...body, [key]: value }));
        expect(error.code).toBe('bad-input');
        expect(error.message).toContain(key);
      }),
    );
  });

  test('refuses a body in which one key is missing or of another type, and names the key', () => {
    fc.assert(
      fc.property(validCase, fc.nat(), fc.boolean(), ({ name, body }, pick, drop) => {
        const keys = Object.keys(body).filter((key) => key !== 'cell');
        fc.pre(keys.length > 0);
        const key = keys[pick % keys.length]!;
        const changed = { ...body, [key]: drop ? undefined : [['neither']] };
        const error = refusedBody(name, JSON.stringify(changed));
        expect(error.message).toContain(`${name}: `);
        expect(error.message).toContain(`${key}: `);
      }),
    );
  });

  test('a polluting body pollutes nothing', () => {
    for (const name of NAMES) {
      const body = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
      expect(refusedBody(name, body).code).toBe('bad-input');
    }
    expect('polluted' in {}).toBe(false);
  });
});
