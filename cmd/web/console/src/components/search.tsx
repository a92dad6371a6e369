import { Field } from '../../../src/components/controls/field.tsx';

interface Props {
  label: string;
  onSearch: (text: string) => void;
}

/** A field that is looked up when it is submitted. */
export function Search({ label, onSearch }: Props) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onSearch(String(new FormData(event.currentTarget as HTMLFormElement).get('text')).trim());
  };
  return (
    <search>
      <form class="search" onSubmit={submit}>
        <Field name="text" label={label} autoComplete="off" required={false} />
        <button type="submit" class="button">
          Find
        </button>
      </form>
    </search>
  );
}
