// The JSON schema of a schema.
import { invalidInput } from '../base/errors.js';
import type { AnySchema, StandardSchema } from '../base/schema.js';

/** @internal */
export const isStandard = (schema: AnySchema): schema is StandardSchema =>
  '~standard' in schema && typeof schema['~standard'] === 'object';

type Method = (options?: object) => object;
/** Methods of libraries, which are no part of Standard Schema: zod's, and arktype's. */
interface Methods { toJSONSchema?: Method; toJsonSchema?: Method; in?: Methods }

/** Libraries whose schemas have no such method, and the module that has a function for it. */
const MODULES: Readonly<Record<string, { module: string; name: string; options: object }>> = {
  zod: { module: 'zod', name: 'toJSONSchema', options: { io: 'input' } },
  valibot: { module: '@valibot/to-json-schema', name: 'toJsonSchema', options: { typeMode: 'input' } },
};

/**
 * @internal
 * The JSON schema of what the model must write, which is what the validator takes. Throws an InvalidInputError that says
 * what to give if there is none.
 */
export function jsonSchemaOf(schema: AnySchema): object {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) {
    throw invalidInput('the schema is neither a Standard Schema (zod, valibot, arktype) nor a JSON schema');
  }
  if (!isStandard(schema)) return schema;
  const { vendor, jsonSchema } = schema['~standard'];
  try {
    if (jsonSchema) return jsonSchema.input({ target: 'draft-2020-12' });
    const own = schema as Methods;
    if (own.toJSONSchema) return own.toJSONSchema({ io: 'input' });
    if (own.toJsonSchema) return (own.in?.toJsonSchema ? own.in as Required<Methods> : own as Required<Methods>).toJsonSchema();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw invalidInput(`the schema cannot be written as a JSON schema (${said}); change it, or give the JSON schema as jsonSchema`, error);
  }
  const known = MODULES[vendor];
  const make = known && from(known.module, known.name);
  if (make) return make(schema, known.options);
  throw invalidInput(known
    ? `the schema has no JSON schema of its own, and ${known.module} was not found: install ${known.module} and give `
      + `jsonSchema: ${known.name}(schema)`
    : `the schema (of ${vendor}) has no JSON schema of its own; give it as jsonSchema`);
}

/** Where Node, Deno and Bun have it. */
interface Process { cwd(): string; getBuiltinModule?(name: string): { createRequire(from: string): (module: string) => Record<string, unknown> } }

/** A function of an optional module of the program. It is not imported, because a bundler would look for it. */
function from(module: string, name: string): ((schema: object, options: object) => object) | undefined {
  const { process } = globalThis as { process?: Process };
  try {
    const load = process?.getBuiltinModule?.('node:module').createRequire(`${process.cwd()}/program.js`);
    return load?.(module)[name] as ((schema: object, options: object) => object) | undefined;
  } catch {
    return undefined;
  }
}
