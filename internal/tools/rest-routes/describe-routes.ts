import { createFileRegistry, type DescMethod, fromBinary, type Registry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { httpBindings } from '../../../pkg/transcoder/http-rule.ts';

/** Where a method is over REST. Names of fields are those of JSON. */
export interface Route {
  method: string;
  /** `/v1/chats/{chatId}:leave`: each part in braces is one segment. */
  path: string;
  /** Whether the fields that are not in the path go into the body; into the query otherwise. */
  body: boolean;
}

/**
 * The routes of some services, by full service name and by method name in lowerCamelCase, from an encoded FileDescriptorSet: the first
 * binding of each method that has one. Throws an Error for a rule that a `Route` cannot tell.
 */
export function describeRoutes(
  descriptors: Uint8Array,
  services: readonly string[],
): Record<string, Record<string, Route>> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  return Object.fromEntries(
    services.map((name) => {
      const service = registry.getService(name);
      if (!service) throw new Error(`there is no service ${name}`);
      const routes = service.methods.flatMap((method) => {
        const route = toRoute(method, registry);
        return route ? [[method.localName, route] as const] : [];
      });
      return [name, Object.fromEntries(routes)];
    }),
  );
}

function toRoute(method: DescMethod, registry: Registry): Route | undefined {
  const binding = httpBindings(method, registry)[0];
  if (!binding) return undefined;
  const { httpMethod, template, body, responseBody } = binding;
  const plain =
    /^[^*=]*$/.test(template.source) && !template.variables.some(({ fieldPath }) => fieldPath.includes('.'));
  if (!plain || responseBody !== '' || !['', '*'].includes(body)) {
    throw new Error(`the rule of ${method.parent.typeName}.${method.name} is more than the table of routes can tell`);
  }
  const path = template.source.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    return `{${method.input.fields.find((field) => field.name === name)?.jsonName ?? name}}`;
  });
  return { method: httpMethod, path, body: body === '*' };
}
