import { type DescMethod, getOption, hasOption, type Registry } from '@bufbuild/protobuf';
import { type PathTemplate, parsePathTemplate } from './path-template.ts';

/** A binding of a method to an HTTP method and path. */
export interface HttpBinding {
  /** `GET`, `POST`, …, or the kind of a custom pattern as written; `*` means any. */
  httpMethod: string;
  template: PathTemplate;
  /** The field that the body holds, in its proto name; `*` for all fields that are not in the path; empty for no body. */
  body: string;
  /** The proto name of the response field that is returned; empty for the whole response. */
  responseBody: string;
}

/**
 * Returns the bindings of a method's `google.api.http` rule: first the rule itself, then its `additional_bindings`; none if it has no rule.
 *
 * `registry` must hold what the method's file imports. Throws an Error that names the method if the rule is not well-formed.
 */
export function httpBindings(method: DescMethod, registry: Registry): HttpBinding[] {
  const extension = registry.getExtension('google.api.http');
  if (!extension || !hasOption(method, extension)) return [];
  const rule = getOption(method, extension) as unknown as HttpRule;
  try {
    if (rule.additionalBindings.some((one) => one.additionalBindings.length > 0)) {
      throw new Error('additional_bindings must not be nested');
    }
    return [rule, ...rule.additionalBindings].map(toBinding);
  } catch (error) {
    throw new Error(`google.api.http of ${method.parent.typeName}.${method.name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** `google.api.HttpRule` in the form of descriptors at run time. */
interface HttpRule {
  pattern:
    | { case: 'get' | 'put' | 'post' | 'delete' | 'patch'; value: string }
    | { case: 'custom'; value: { kind: string; path: string } }
    | { case: undefined };
  body: string;
  responseBody: string;
  additionalBindings: HttpRule[];
}

function toBinding({ pattern, body, responseBody }: HttpRule): HttpBinding {
  if (pattern.case === undefined) throw new Error('there is no path');
  if (pattern.case !== 'custom') {
    return { httpMethod: pattern.case.toUpperCase(), template: parsePathTemplate(pattern.value), body, responseBody };
  }
  const { kind, path } = pattern.value;
  if (!/^(?:[A-Za-z0-9!#$%&'+.^_`|~-]+|\*)$/.test(kind)) throw new Error(`${JSON.stringify(kind)} is no HTTP method`);
  return { httpMethod: kind, template: parsePathTemplate(path), body, responseBody };
}
