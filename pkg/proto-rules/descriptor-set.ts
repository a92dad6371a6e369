/** A `google.protobuf.FileDescriptorSet` in JSON, as `buf build -o descriptors.json` writes it; only what is read here. */
export interface DescriptorSetJson {
  file?: FileJson[];
}

export interface FileJson {
  name?: string;
  package?: string;
  /** Absent for proto2. */
  syntax?: string;
  messageType?: MessageJson[];
  enumType?: EnumJson[];
}

export interface MessageJson {
  name: string;
  field?: FieldJson[];
  nestedType?: MessageJson[];
  enumType?: EnumJson[];
  oneofDecl?: OneofJson[];
  options?: OptionsJson;
}

export interface FieldJson {
  name: string;
  /** `TYPE_STRING`, `TYPE_MESSAGE`, … */
  type: string;
  label?: string;
  /** Of a message or an enum, with a dot in front: `.chat.v1.Message`. */
  typeName?: string;
  oneofIndex?: number;
  /** An `optional` field of proto3: its oneof exists in the descriptor only. */
  proto3Optional?: boolean;
  options?: OptionsJson;
}

export interface OneofJson {
  name: string;
  options?: OptionsJson;
}

export interface EnumJson {
  name: string;
  value?: { name: string; number?: number }[];
}

/** Extensions are keyed by their full name in brackets: `[validate.rules]`. */
export type OptionsJson = Record<string, unknown>;

/** A message with its full name and its place. */
export interface MessageType {
  /** `chat.v1.Message`, without a dot in front. */
  readonly name: string;
  readonly file: FileJson;
  readonly json: MessageJson;
}

/** The messages and enums of a descriptor set by their full names. */
export interface TypeIndex {
  readonly messages: ReadonlyMap<string, MessageType>;
  readonly enums: ReadonlyMap<string, EnumJson>;
}

/** Finds every message and enum of a descriptor set, nested ones as well. */
export function indexTypes(descriptorSet: DescriptorSetJson): TypeIndex {
  const messages = new Map<string, MessageType>();
  const enums = new Map<string, EnumJson>();
  const visit = (file: FileJson, scope: string, types: Pick<MessageJson, 'enumType'>, nested: MessageJson[] = []) => {
    for (const json of types.enumType ?? []) enums.set(scope + json.name, json);
    for (const json of nested) {
      const name = scope + json.name;
      messages.set(name, { name, file, json });
      visit(file, `${name}.`, json, json.nestedType);
    }
  };
  for (const file of descriptorSet.file ?? []) {
    visit(file, file.package ? `${file.package}.` : '', file, file.messageType);
  }
  return { messages, enums };
}

/** The full name of a field's message or enum, without a dot in front; empty for a scalar. */
export function typeNameOf(field: FieldJson): string {
  return (field.typeName ?? '').replace(/^\./, '');
}

export function isMessage(field: FieldJson): boolean {
  return field.type === 'TYPE_MESSAGE' || field.type === 'TYPE_GROUP';
}

export function isRepeated(field: FieldJson): boolean {
  return field.label === 'LABEL_REPEATED';
}

/** The key and value of a map field; `undefined` for any other field. */
export function mapEntryOf(types: TypeIndex, field: FieldJson): { key: FieldJson; value: FieldJson } | undefined {
  const entry = isMessage(field) ? types.messages.get(typeNameOf(field))?.json : undefined;
  const [key, value] = entry?.field ?? [];
  return entry?.options?.mapEntry && key && value ? { key, value } : undefined;
}

/** The key of a field or oneof in ts-proto's objects: its name in camelCase, as ts-proto converts it. */
export function propertyName(protoName: string): string {
  if (!protoName.includes('_')) return protoName;
  const name = /[a-z]/.test(protoName) ? protoName : protoName.toLowerCase();
  const [first = '', ...others] = name.split('_');
  return first + others.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
}
