/** What `frames` gives, each made into something else. Unlike a generator it holds nothing while it waits. */
export function mapFrames<From, To>(frames: AsyncIterable<From>, map: (frame: From) => To): AsyncIterable<To> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = frames[Symbol.asyncIterator]();
      const mapped = (result: IteratorResult<From>): IteratorResult<To> =>
        result.done ? result : { done: false, value: map(result.value) };
      return {
        next: () => iterator.next().then(mapped),
        return: async () => {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
