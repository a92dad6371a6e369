import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence, isWrapperDesc } from '@bufbuild/protobuf/wkt';
import type { FieldRulesJson } from '../proto-rules/field-rules.ts';
import type { Comments } from './comments.ts';
import type { Schema } from './document.ts';
import { enumSchema, isRestricted } from './enum-schema.ts';
import { listLimits, mapLimits, valueLimits } from './field-limits.ts';
import type { MessageRules } from './message-rules.ts';
import { type Place, scalarSchema } from './scalar-schema.ts';
import { wellKnownSchema } from './well-known-schemas.ts';

interface Deps {
  comments: Comments;
  rules: MessageRules;
  /** The messages of requests and of responses. A message of both gets two schemas. */
  incoming: ReadonlySet<DescMessage>;
  outgoing: ReadonlySet<DescMessage>;
}

/** Creates the schemas of messages and enums in canonical proto3 JSON. Each is created once, with everything that it refers to. */
export class Schemas {
  readonly #comments: Comments;
  readonly #rules: MessageRules;
  readonly #incoming: ReadonlySet<DescMessage>;
  readonly #outgoing: ReadonlySet<DescMessage>;
  readonly #components = new Map<string, Schema>();

  constructor({ comments, rules, incoming, outgoing }: Deps) {
    this.#comments = comments;
    this.#rules = rules;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  /** The components that were referred to, by name. */
  components(): Record<string, Schema> {
    return Object.fromEntries([...this.#components].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Returns a reference to the component with this name, and creates the component if there is none. */
  component(name: string, make: () => Schema): Schema {
    if (!this.#components.has(name)) {
      // The schema may refer to itself.
      this.#components.set(name, {});
      this.#components.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  message(desc: DescMessage, place: Place): Schema {
    const wellKnown = wellKnownSchema(desc);
    if (wellKnown) return wellKnown;
    const [wrapped] = desc.fields;
    if (wrapped && isWrapperDesc(desc)) return this.#value(wrapped, place, {});
    return this.component(this.#nameOf(desc, place), () => this.object(desc, place));
  }

  /** A message of both requests and responses has its plain name in responses. */
  #nameOf(desc: DescMessage, place: Place): string {
    const isTaken = place !== 'response' && this.#outgoing.has(desc);
    if (place === 'request' && isTaken) return `${desc.typeName}-Request`;
    if (place === 'detail' && (isTaken || this.#incoming.has(desc))) return `${desc.typeName}-Detail`;
    return desc.typeName;
  }

  /** Returns a message's schema. `without` holds the paths of fields that are not in the body. */
  object(desc: DescMessage, place: Place, without: readonly string[] = []): Schema {
    const description = [this.#comments.of(desc), ...desc.oneofs.map((oneof) => this.#oneofNote(oneof))];
    const fields = desc.fields.filter(({ name }) => !without.includes(name));
    const properties = fields.map((field): [string, Schema] => {
      const below = without.flatMap((path) =>
        path.startsWith(`${field.name}.`) ? [path.slice(field.name.length + 1)] : [],
      );
      const isSplit = below.length > 0 && field.message;
      return [field.jsonName, isSplit ? this.object(field.message, place, below) : this.field(field, place)];
    });
    const required = fields.filter((field) => this.isRequired(field, place)).map(({ jsonName }) => jsonName);
    return {
      type: 'object',
      ...text('description', description.filter(Boolean).join('\n\n')),
      ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
      ...(required.length > 0 && { required }),
    };
  }

  /** Returns the schema of a field's value, with its comment and its limits. */
  field(field: DescField, place: Place): Schema {
    const schema = this.#bare(field, place);
    return {
      ...(isNullWhenUnset(field, place) ? orNull(schema) : schema),
      ...text('description', this.#comments.of(field)),
      ...(field.deprecated && { deprecated: true }),
    };
  }

  /** Whether the field is always present: the service always writes it in a response, or it is required in a request. */
  isRequired(field: DescField, place: Place): boolean {
    if (field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED) return true;
    if (place === 'request' || place === 'parameter') return this.#rules.requires(field);
    return field.presence === FeatureSet_FieldPresence.IMPLICIT || isNullWhenUnset(field, place);
  }

  #bare(field: DescField, place: Place): Schema {
    // The service does not validate responses, so limits do not apply to them.
    const rules = place === 'response' || place === 'detail' ? {} : this.#rules.of(field);
    switch (field.fieldKind) {
      case 'list':
        return {
          type: 'array',
          items: this.#value(field, place, rules.repeated?.items ?? {}),
          ...listLimits(rules.repeated ?? {}),
        };
      case 'map': {
        const keys = valueLimits(rules.map?.keys ?? {});
        const isText = field.mapKey === ScalarType.STRING;
        return {
          type: 'object',
          ...(isText && Object.keys(keys).length > 0 && { propertyNames: keys }),
          additionalProperties: this.#value(field, place, rules.map?.values ?? {}),
          ...mapLimits(rules.map ?? {}),
        };
      }
      default:
        return this.#value(field, place, rules);
    }
  }

  /** Returns the schema of a single value: of the field, of an item, or of a value of a map. */
  #value(field: DescField, place: Place, rules: FieldRulesJson): Schema {
    if (field.message) return this.message(field.message, place);
    if (field.enum) return this.#enum(field.enum, rules);
    const limits = valueLimits(rules);
    const scalar = scalarSchema(field.scalar!, place);
    // Numbers only: limits leave out NaN.
    const limited = Object.keys(limits).length > 0 ? scalar.anyOf?.[0] : undefined;
    const schema = { ...(limited ?? scalar), ...limits };
    if (Array.isArray(schema.type)) return takingText(schema);
    return place === 'request' ? withExample(schema) : schema;
  }

  #enum(desc: DescEnum, { enum: rules }: FieldRulesJson): Schema {
    return isRestricted(desc, rules)
      ? enumSchema(desc, this.#comments, rules)
      : this.component(desc.typeName, () => enumSchema(desc, this.#comments));
  }

  #oneofNote(oneof: DescMessage['oneofs'][number]): string {
    const names = oneof.fields.map(({ jsonName }) => `\`${jsonName}\``).join(', ');
    const comment = this.#comments.of(oneof);
    return `${comment && `${comment}\n\n`}At most one of these is set: ${names}.`;
  }
}

function text(key: 'description', value: string): Schema {
  return value ? { [key]: value } : {};
}

/** Whether the transcoder writes null if the field is unset: a single message that is neither optional nor in a oneof, and not a Value. */
function isNullWhenUnset({ fieldKind, message, oneof, proto }: DescField, place: Place): boolean {
  if (place !== 'response' || fieldKind !== 'message' || message?.typeName === 'google.protobuf.Value') return false;
  return oneof === undefined && !proto.proto3Optional;
}

function orNull(schema: Schema): Schema {
  return schema.type === undefined
    ? { anyOf: [schema, { type: 'null' }] }
    : { ...schema, type: [schema.type, 'null'].flat() };
}

/** Tools generate an unnatural example from a pattern; the usual example is better if it matches. */
function withExample(schema: Schema): Schema {
  const { pattern, minLength = 0, maxLength = Infinity } = schema;
  const example = 'string';
  const fits = pattern !== undefined && new RegExp(pattern, 'u').test(example);
  return fits && minLength <= example.length && example.length <= maxLength
    ? { ...schema, examples: [example] }
    : schema;
}

/** A request may hold these special numbers as strings, too. */
function takingText({ const: only, enum: allowed, not: refused, ...schema }: Schema): Schema {
  const both = (values: unknown[]) => values.flatMap((value) => [value, String(value)]);
  return {
    ...schema,
    ...(only !== undefined && { enum: both([only]) }),
    ...(allowed && { enum: both(allowed) }),
    ...(refused?.enum && { not: { enum: both(refused.enum) } }),
  };
}
