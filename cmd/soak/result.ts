import { exitCodeOf as exitCodeOfVerdict, formatVerdict } from '../../internal/verify/report/format-verdict.ts';
import { quantities } from './quantities.ts';
import type { Finding, SoakResult } from './run-soak.ts';

/** The result as text. */
export function formatResult(result: SoakResult): string {
  const { rates, acknowledged, received, unanswered, failure, findings } = result;
  const lines = [
    formatVerdict(result.verdict),
    '',
    `of at most ${Math.round(rates.most)} messages per second ${Math.round(rates.sent)} were sent: ${acknowledged} acknowledged, ${received} received`,
    ...(unanswered > 0 ? [`${unanswered} messages of the load have no answer`] : []),
    ...(failure === undefined ? [] : [`a message of the load was refused: ${failure}`]),
    ...findings.filter(({ growth }) => growth.grows).map((finding) => `GROWS: ${formatFinding(finding)}`),
    ...findings.filter(({ growth }) => !growth.grows).map((finding) => `flat: ${formatFinding(finding)}`),
    '',
    verdictOf(result),
  ];
  return lines.join('\n');
}

/** 0: nothing grows and no promise was broken; 1: otherwise; 2: too little was seen to say. */
export function exitCodeOf(result: SoakResult): 0 | 1 | 2 {
  const broken = exitCodeOfVerdict(result.verdict);
  if (broken === 1 || isAtFault(result)) return 1;
  return broken === 2 || result.findings.length === 0 ? 2 : 0;
}

function isAtFault({ unanswered, failure, findings }: SoakResult): boolean {
  return unanswered > 0 || failure !== undefined || findings.some(({ growth }) => growth.grows);
}

function verdictOf(result: SoakResult): string {
  switch (exitCodeOf(result)) {
    case 0:
      return 'OK: nothing grows, and nothing contradicts the promises of the service';
    case 1:
      return 'NOT OK';
    default:
      return 'NOT PROVED: the run was too short, or too little could be read';
  }
}

export function formatFinding({ node, quantity, growth }: Finding): string {
  const { unit, scale } = quantities.find(({ name }) => name === quantity)!;
  const [total, perHour] = [growth.total, growth.perHour].map((value) =>
    `${(value / scale).toFixed(1)} ${unit}`.trim(),
  );
  return `${quantity} of ${node}: ${total} in the run, ${perHour} per hour (z ${growth.z.toFixed(1)})`;
}
