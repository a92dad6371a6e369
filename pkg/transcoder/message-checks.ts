import { type DescField, type DescMessage, type Registry, ScalarType } from '@bufbuild/protobuf';
import { hasCustomJsonRepresentation } from '@bufbuild/protobuf/wkt';
import { type Check, isObject, type Walk, wrongKind } from './check.ts';
import { enumCheck } from './enum-check.ts';
import { keyStep, unknownStep } from './faults.ts';
import { scalarCheck } from './scalar-check.ts';
import { wellKnownCheck } from './well-known-check.ts';

interface FieldCheck {
  field: DescField;
  step: string;
  /** Whether null is a value of the field and does not mean that it is unset. */
  takesNull: boolean;
  check: Check;
}

/** Creates the checks of message types, each once. */
export class MessageChecks {
  readonly #registry: Registry;
  readonly #checks = new Map<DescMessage, Check>();
  readonly #fields = new Map<DescMessage, ReadonlyMap<string, FieldCheck>>();

  /** `registry` holds the types that a google.protobuf.Any can contain. */
  constructor(registry: Registry) {
    this.#registry = registry;
  }

  of(desc: DescMessage): Check {
    const made = this.#checks.get(desc);
    if (made) return made;
    const check = this.#make(desc);
    this.#checks.set(desc, check);
    return check;
  }

  #make(desc: DescMessage): Check {
    if (desc.typeName === 'google.protobuf.Any') return this.#checkAny;
    return wellKnownCheck(desc) ?? messageCheck(this.#fieldsOf(desc));
  }

  #fieldsOf(desc: DescMessage): ReadonlyMap<string, FieldCheck> {
    const made = this.#fields.get(desc);
    if (made) return made;
    const byKey = new Map<string, FieldCheck>();
    // Stored before its fields are compiled: a message may contain itself.
    this.#fields.set(desc, byKey);
    for (const field of desc.fields) {
      const fieldCheck = this.#fieldCheck(field);
      byKey.set(field.name, fieldCheck).set(field.jsonName, fieldCheck);
    }
    return byKey;
  }

  #fieldCheck(field: DescField): FieldCheck {
    const step = `.${field.name}`;
    switch (field.fieldKind) {
      case 'list':
        return { field, step, takesNull: false, check: listCheck(this.#valueCheck(field), takesNull(field)) };
      case 'map':
        return {
          field,
          step,
          takesNull: false,
          check: mapCheck(field.mapKey, this.#valueCheck(field), takesNull(field)),
        };
      default:
        return { field, step, takesNull: takesNull(field), check: this.#valueCheck(field) };
    }
  }

  #valueCheck(field: DescField): Check {
    if (field.message) return this.of(field.message);
    return field.enum ? enumCheck(field.enum) : scalarCheck(field.scalar!);
  }

  /** Checks an Any: the message's fields are beside `@type`, or its JSON is under `value` if that is not an object of its fields. */
  readonly #checkAny: Check = (value, walk, holder, key) => {
    if (!isObject(value)) return wrongKind(walk, 'an object', value);
    if (Object.keys(value).length === 0) return;
    const typeUrl = value[typeKey];
    const desc = typeof typeUrl === 'string' && this.#registry.getMessage(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
    if (!desc) return addAt(walk, keyStep(typeKey), 'must be the URL of a known type');
    if (!hasCustomJsonRepresentation(desc))
      return messageCheck(this.#fieldsOf(desc), typeKey)(value, walk, holder, key);
    for (const name of Object.keys(value)) {
      if (name === 'value') at(walk, '.value', () => this.of(desc)(value.value, walk, value, name));
      else if (name !== typeKey) addAt(walk, unknownStep(name), 'is not a known field');
    }
    if (!Object.hasOwn(value, 'value')) addAt(walk, '.value', 'must be given');
  };
}

const typeKey = '@type';

/** Whether a single value of the field can be null. */
function takesNull({ message, enum: enumeration }: DescField): boolean {
  return message?.typeName === 'google.protobuf.Value' || enumeration?.typeName === 'google.protobuf.NullValue';
}

function messageCheck(byKey: ReadonlyMap<string, FieldCheck>, ignoredKey?: string): Check {
  return (value, walk) => {
    if (!isObject(value)) return wrongKind(walk, 'an object', value);
    let chosen: Map<object, string> | undefined;
    for (const key of Object.keys(value)) {
      if (walk.faults.full) return;
      const known = byKey.get(key);
      if (!known) {
        if (key !== ignoredKey) addAt(walk, unknownStep(key), 'is not a known field');
        continue;
      }
      const { field, step } = known;
      if (key === field.jsonName && key !== field.name && Object.hasOwn(value, field.name)) {
        addAt(walk, step, `must not be given twice, as ${field.jsonName} and as ${field.name}`);
      }
      const item = value[key];
      if (item === null && !known.takesNull) {
        // The library would take the null as the value of the oneof.
        if (field.oneof) delete value[key];
        continue;
      }
      if (field.oneof) {
        chosen ??= new Map();
        const other = chosen.get(field.oneof);
        if (other !== undefined && other !== field.name) addAt(walk, step, `must not be given together with ${other}`);
        chosen.set(field.oneof, field.name);
      }
      walk.faults.enter(step);
      known.check(item, walk, value, key);
      walk.faults.leave();
    }
  };
}

function listCheck(check: Check, nullable: boolean): Check {
  return (value, walk) => {
    if (!Array.isArray(value)) return wrongKind(walk, 'an array', value);
    for (let at = 0; at < value.length && !walk.faults.full; at++) {
      walk.faults.enter(at);
      if (value[at] === null && !nullable) walk.faults.add('must not be null');
      else check(value[at], walk, value, at);
      walk.faults.leave();
    }
  };
}

function mapCheck(keyType: ScalarType, check: Check, nullable: boolean): Check {
  const checkKey = keyCheck(keyType);
  return (value, walk) => {
    if (!isObject(value)) return wrongKind(walk, 'an object', value);
    for (const key of Object.keys(value)) {
      if (walk.faults.full) return;
      walk.faults.enter(keyStep(key));
      checkKey(key, walk, value, key);
      if (value[key] === null && !nullable) walk.faults.add('must not be null');
      else check(value[key], walk, value, key);
      walk.faults.leave();
    }
  };
}

/** JSON keys are strings for every key type. A number must have its shortest form, so that no two keys are equal. */
function keyCheck(type: ScalarType): Check {
  const check = scalarCheck(type);
  if (type === ScalarType.STRING) return check;
  const form = type === ScalarType.BOOL ? /^(?:true|false)$/ : /^(?:0|-?[1-9]\d*)$/;
  return (key, walk, holder) => {
    if (!form.test(key as string))
      walk.faults.add(`must have ${type === ScalarType.BOOL ? 'true or false' : 'an integer'} as its key`);
    else if (type !== ScalarType.BOOL) check(key, walk, holder, key as string);
  };
}

function at({ faults }: Walk, step: string, look: () => void): void {
  faults.enter(step);
  look();
  faults.leave();
}

function addAt(walk: Walk, step: string, description: string): void {
  at(walk, step, () => walk.faults.add(description));
}
