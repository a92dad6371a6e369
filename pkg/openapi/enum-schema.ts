import type { DescEnum } from '@bufbuild/protobuf';
import type { EnumRulesJson } from '../proto-rules/enum-rules.ts';
import type { Comments } from './comments.ts';
import type { Schema } from './document.ts';

/** Returns the schema of an enum: the names of the values that the rules allow. */
export function enumSchema(desc: DescEnum, comments: Comments, rules: EnumRulesJson = {}): Schema {
  if (desc.typeName === 'google.protobuf.NullValue') return { type: 'null' };
  const values = desc.values.filter(({ number }) => isAllowed(number, rules));
  const notes = values.map((value) => {
    const comment = comments.of(value).replace(/\s+/g, ' ');
    return `- \`${value.name}\`${comment && `: ${comment}`}`;
  });
  const isExplained = values.some((value) => comments.of(value) !== '');
  const description = [comments.of(desc), isExplained ? notes.join('\n') : ''].filter(Boolean).join('\n\n');
  return {
    type: 'string',
    ...(description && { description }),
    enum: values.map(({ name }) => name),
  };
}

/** Whether the rules exclude any of the values. */
export function isRestricted(desc: DescEnum, rules: EnumRulesJson = {}): boolean {
  return !desc.values.every(({ number }) => isAllowed(number, rules));
}

function isAllowed(number: number, { const: only, in: allowed, notIn: refused }: EnumRulesJson): boolean {
  return (only ?? number) === number && (allowed?.includes(number) ?? true) && !refused?.includes(number);
}
