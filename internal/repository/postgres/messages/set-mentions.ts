/**
 * Returns the CTE `mentioned`, which sets the mentions of the messages that another CTE has stored. That CTE has the columns `outcome`, `chat_id`, `seq` and
 * `list`, which is null for a message without mentions. Refer to `mentioned`, or it does not run.
 */
export function setMentions(stored: string): string {
  return `mentioned as materialized (
    select set_mentions(array_agg(chat_id), array_agg(seq), array_agg(list)) from ${stored}
    where outcome = 'stored' and list is not null having count(*) > 0
  )`;
}
