interface Props {
  count: number;
  /** Undefined: the first worker that is ready. */
  onChoose: (worker: number | undefined) => void;
}

/** Chooses the process that answers, of those that share the port. */
export function WorkerChoice({ count, onChoose }: Props) {
  const choose = (event: Event) => {
    const { value } = event.currentTarget as HTMLSelectElement;
    onChoose(value === '' ? undefined : Number(value));
  };
  return (
    <label class="worker-choice">
      Process
      <select onChange={choose} aria-label="Process">
        <option value="">the first that is ready</option>
        {Array.from({ length: count }, (_, index) => (
          <option key={index} value={index + 1}>
            worker {index + 1}
          </option>
        ))}
      </select>
    </label>
  );
}
