import type { DescMethod } from '@bufbuild/protobuf';
import type { HttpBinding } from './http-rule.ts';
import type { PathTemplate } from './path-template.ts';

/** One HTTP method and path template, and the call that they stand for. */
export interface Route {
  /** `GET`, `POST`, …; `*` for any. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** `/chat.v1.ChatService/CreateChat`. */
  readonly rpc: string;
  readonly method: DescMethod;
  readonly binding: HttpBinding;
}

/** Which call a request is, if any. */
export type RouteMatch =
  | {
      kind: 'route';
      route: Route;
      /** The decoded values of the path's variables by their field paths as written in the template. */
      variables: Map<string, string>;
    }
  /** The path exists, for these methods only. */
  | { kind: 'method_not_allowed'; allow: string[] }
  | { kind: 'not_found' }
  | { kind: 'bad_path'; description: string };
