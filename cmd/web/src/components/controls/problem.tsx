/** An error message, which screen readers announce when it appears. */
export function Problem({ text }: { text: string }) {
  return (
    <div class="problem" role="alert">
      {text}
    </div>
  );
}
