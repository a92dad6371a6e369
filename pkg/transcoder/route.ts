import type { DescMethod } from '@bufbuild/protobuf';
import type { HttpBinding } from './http-rule.ts';
import type { PathTemplate } from './path-template.ts';

/** An HTTP method and a path template, and the gRPC method that they call. */
export interface Route {
  /** `GET`, `POST`, …; `*` for any. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** `/chat.v1.ChatService/CreateChat`. */
  readonly rpc: string;
  readonly method: DescMethod;
  readonly binding: HttpBinding;
}

/** The result of matching a request to the routes. */
export type RouteMatch =
  | {
      kind: 'route';
      route: Route;
      /** The decoded values of the path's variables by their field paths as written in the template. */
      variables: Map<string, string>;
    }
  /** The path exists, but only with these methods. */
  | { kind: 'method_not_allowed'; allow: string[] }
  | { kind: 'not_found' }
  | { kind: 'bad_path'; description: string };
