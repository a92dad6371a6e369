import type { AnyDesc, DescFile } from '@bufbuild/protobuf';

/** Reads the comments of .proto files. A field name in backticks is replaced by the field's JSON name. */
export class Comments {
  readonly #jsonNames: ReadonlyMap<string, string>;
  readonly #ofFile = new WeakMap<DescFile, ReadonlyMap<string, string>>();

  /** `jsonNames` maps field names of the .proto files to JSON names. */
  constructor(jsonNames: ReadonlyMap<string, string>) {
    this.#jsonNames = jsonNames;
  }

  /** Returns the comment above a declaration, or else the one behind it, trimmed and without comment markers; empty if there is none. */
  of(desc: Exclude<AnyDesc, DescFile>): string {
    const text = this.#textsOf('file' in desc ? desc.file : desc.parent.file).get(pathOf(desc).join()) ?? '';
    return text.replace(/`([a-z][a-z0-9_]*)`/g, (whole, name) => {
      const jsonName = this.#jsonNames.get(name);
      return jsonName === undefined ? whole : `\`${jsonName}\``;
    });
  }

  #textsOf(file: DescFile): ReadonlyMap<string, string> {
    const read = this.#ofFile.get(file);
    if (read) return read;
    const texts = new Map<string, string>();
    for (const { path, leadingComments, trailingComments } of file.proto.sourceCodeInfo?.location ?? []) {
      const text = clean(leadingComments) || clean(trailingComments);
      if (text) texts.set(path.join(), text);
    }
    this.#ofFile.set(file, texts);
    return texts;
  }
}

/** Omits lines for tools, such as `buf:lint:ignore …`. */
function clean(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^ /, '').trimEnd());
  return lines
    .filter((line) => !/^buf:lint:/.test(line))
    .join('\n')
    .trim();
}

/** Returns a declaration's path in its file's descriptor: field numbers and indices. Source: google/protobuf/descriptor.proto */
function pathOf(desc: Exclude<AnyDesc, DescFile>): number[] {
  switch (desc.kind) {
    case 'message':
      return desc.parent
        ? [...pathOf(desc.parent), 3, desc.parent.proto.nestedType.indexOf(desc.proto)]
        : [4, desc.file.proto.messageType.indexOf(desc.proto)];
    case 'enum':
      return desc.parent
        ? [...pathOf(desc.parent), 4, desc.parent.proto.enumType.indexOf(desc.proto)]
        : [5, desc.file.proto.enumType.indexOf(desc.proto)];
    case 'extension':
      return desc.parent
        ? [...pathOf(desc.parent), 6, desc.parent.proto.extension.indexOf(desc.proto)]
        : [7, desc.file.proto.extension.indexOf(desc.proto)];
    case 'service':
      return [6, desc.file.proto.service.indexOf(desc.proto)];
    case 'field':
      return [...pathOf(desc.parent), 2, desc.parent.proto.field.indexOf(desc.proto)];
    case 'oneof':
      return [...pathOf(desc.parent), 8, desc.parent.proto.oneofDecl.indexOf(desc.proto)];
    case 'enum_value':
      return [...pathOf(desc.parent), 2, desc.parent.proto.value.indexOf(desc.proto)];
    case 'rpc':
      return [...pathOf(desc.parent), 2, desc.parent.proto.method.indexOf(desc.proto)];
    default:
      return desc satisfies never;
  }
}
