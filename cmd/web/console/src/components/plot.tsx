import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';

export interface Line {
  label: string;
  values: readonly (number | null)[];
}

interface Props {
  title: string;
  /** Writes a value with its unit. */
  format: (value: number | null | undefined) => string;
  /** Times, in milliseconds since 1970. */
  at: readonly number[];
  lines: readonly Line[];
}

const height = 150;

/** Lines over time. The newest values are also there as text. */
export function Plot({ title, format, at, lines }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const formatted = useRef(format);
  formatted.current = format;
  const labels = lines.map(({ label }) => label).join('\n');
  useEffect(() => {
    const element = place.current!;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(name);
    const axis = { stroke: style.color, grid: { stroke: colour('--grid') }, ticks: { stroke: colour('--grid') } };
    const created = new UPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_plot, _min, max) => [0, max ? max * 1.1 : 1] } },
        axes: [axis, { ...axis, size: 70, values: (_plot, ticks) => ticks.map((tick) => formatted.current(tick)) }],
        series: [{}, ...labels.split('\n').map((label, index) => ({ label, stroke: colour(`--line-${index % 4}`) }))],
      },
      undefined,
      element,
    );
    plot.current = created;
    const observer = new ResizeObserver(() => created.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
    };
  }, [labels]);
  useEffect(() => {
    plot.current?.setData([at.map((time) => time / 1_000), ...lines.map(({ values }) => [...values])]);
  }, [at, lines]);
  return (
    <figure class="plot">
      <figcaption>
        <strong>{title}</strong>
        <ul>
          {lines.map(({ label, values }, index) => (
            <li key={label}>
              <span class={`key key-${index % 4}`} aria-hidden="true" /> {label} {format(values.at(-1))}
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} aria-hidden="true" />
    </figure>
  );
}
