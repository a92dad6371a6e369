import type { DescField, DescMessage } from '@bufbuild/protobuf';

type JsonObject = Record<string, unknown>;

/** The changes that a message's JSON needs. */
interface Plan {
  /** Names of the fields that become null if they are absent. */
  nullable: string[];
  /** Fields whose messages need changes, directly or in messages that they contain. */
  nested: { name: string; each: 'one' | 'list' | 'map'; desc: DescMessage }[];
}

/**
 * Writes null for unset message fields, as grpc-gateway does (protojson's EmitUnpopulated); the protobuf library
 * writes only unset fields of other kinds. Members of a oneof and optional fields stay absent.
 */
export class UnsetMessages {
  readonly #plans = new Map<DescMessage, Plan>();

  /** Changes the JSON of a message of this type. */
  writeNulls(desc: DescMessage, json: unknown): void {
    if (typeof json !== 'object' || json === null) return;
    const { nullable, nested } = this.#planOf(desc);
    const object = json as JsonObject;
    for (const name of nullable) object[name] ??= null;
    for (const { name, each, desc: part } of nested) {
      const value = object[name];
      if (each === 'one') this.writeNulls(part, value);
      else for (const item of Object.values(value ?? {})) this.writeNulls(part, item);
    }
  }

  #planOf(desc: DescMessage): Plan {
    let plan = this.#plans.get(desc);
    if (!plan) {
      plan = toPlan(desc);
      this.#plans.set(desc, plan);
    }
    return plan;
  }
}

function toPlan(desc: DescMessage): Plan {
  const plan: Plan = { nullable: [], nested: [] };
  // The well-known types have special JSON forms.
  if (desc.typeName.startsWith('google.protobuf.')) return plan;
  for (const field of desc.fields) {
    const { jsonName: name, message } = field;
    if (!message) continue;
    if (isAlwaysShown(field)) plan.nullable.push(name);
    if (message.typeName.startsWith('google.protobuf.')) continue;
    const each = field.fieldKind === 'message' ? 'one' : field.fieldKind === 'map' ? 'map' : 'list';
    plan.nested.push({ name, each, desc: message });
  }
  return plan;
}

function isAlwaysShown({ fieldKind, message, oneof, proto }: DescField): boolean {
  // Null is a value of google.protobuf.Value.
  if (message?.typeName === 'google.protobuf.Value') return false;
  return fieldKind === 'message' && oneof === undefined && !proto.proto3Optional;
}
