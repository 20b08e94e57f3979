// Types of schemas, and of the values that they describe.

/** One fault that a validator found. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The result of a validation. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** A schema of any library that implements [Standard Schema](https://standardschema.dev): zod, valibot, arktype and others. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    /** The part for JSON schemas, which newer versions of the libraries have. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    } | undefined;
  };
}

declare const VALUE: unique symbol;

/** A JSON schema whose values have the type `T`, for a schema that is not written as a literal. */
export type JsonSchemaOf<T> = { readonly [keyword: string]: unknown; readonly [VALUE]?: T };

/** A schema: of a library, or a JSON schema. */
export type AnySchema = StandardSchema | object;

type Types<S> = S extends { readonly '~standard': { readonly types?: infer T } } ? NonNullable<T> : never;

/** The type of the validated value. */
export type OutputOf<S> = S extends { readonly '~standard': unknown }
  ? Types<S> extends { readonly output: infer O } ? O : unknown
  : FromJsonSchema<S>;

/** The type of the value before the validator changes it. */
export type InputOf<S> = S extends { readonly '~standard': unknown }
  ? Types<S> extends { readonly input: infer I } ? I : unknown
  : FromJsonSchema<S>;

/**
 * The type of the values of a JSON schema, if the schema's type is literal. Types, properties, items, constants, unions
 * and references to `$defs` are followed; everything else is `unknown`.
 */
export type FromJsonSchema<S, Root = S> =
  typeof VALUE extends keyof S ? Exclude<S[typeof VALUE & keyof S], undefined>
  : S extends { readonly $ref: `#/$defs/${infer Name}` } ? Defined<Root, Name>
  : S extends { readonly const: infer C } ? C
  : S extends { readonly enum: readonly (infer E)[] } ? E
  : S extends { readonly anyOf: readonly (infer V)[] } ? OneOf<V, Root>
  : S extends { readonly oneOf: readonly (infer V)[] } ? OneOf<V, Root>
  : S extends { readonly type: infer T } ? OfType<T extends readonly (infer K)[] ? K : T, S, Root>
  : S extends { readonly properties: object } ? ObjectOf<S, Root>
  : unknown;

type Defined<Root, Name extends string> =
  Root extends { readonly $defs: { readonly [K in Name]: infer D } } ? FromJsonSchema<D, Root> : unknown;

type OneOf<V, Root> = V extends unknown ? FromJsonSchema<V, Root> : never;

type OfType<K, S, Root> =
  K extends 'string' ? string
  : K extends 'number' | 'integer' ? number
  : K extends 'boolean' ? boolean
  : K extends 'null' ? null
  : K extends 'array' ? ArrayOf<S, Root>
  : K extends 'object' ? ObjectOf<S, Root>
  : unknown;

type ArrayOf<S, Root> =
  S extends { readonly prefixItems: infer P extends readonly unknown[] } ? { -readonly [K in keyof P]: FromJsonSchema<P[K], Root> }
  : S extends { readonly items: infer I } ? FromJsonSchema<I, Root>[]
  : unknown[];

type Required<S> = S extends { readonly required: readonly (infer R)[] } ? R : never;

type ObjectOf<S, Root> =
  S extends { readonly properties: infer P }
    ? Flat<
      { -readonly [K in keyof P as K extends Required<S> ? K : never]: FromJsonSchema<P[K], Root> }
      & { -readonly [K in keyof P as K extends Required<S> ? never : K]?: FromJsonSchema<P[K], Root> }
    >
    : S extends { readonly additionalProperties: infer A extends object } ? { [name: string]: FromJsonSchema<A, Root> }
    : { [name: string]: unknown };

type Flat<T> = { [K in keyof T]: T[K] };

/** A value that is still being written: any field and any item may be missing. */
export type DeepPartial<T> =
  T extends string | number | boolean | bigint | symbol | null | undefined ? T
  : T extends readonly (infer I)[] ? DeepPartial<I>[]
  : T extends object ? { [K in keyof T]?: DeepPartial<T[K]> }
  : unknown;
