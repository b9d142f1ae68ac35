/** What the trail says of this key, newest first, from the latest records. */
import { useNavigate } from '@tanstack/react-router';
import { ArrowRight } from 'lucide-react';
import { ago, bareOperation, counted, exact } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { doorWords, OutcomeWord } from '../trail/words.tsx';
import { eventsOf, MOST_EVENTS, useRecentEvents, type KeyRow } from './data.ts';

const MOST = 100;

export function KeyTrail({ row, at }: { readonly row: KeyRow; readonly at: number }) {
  const navigate = useNavigate();
  const recent = useRecentEvents();
  if (recent.isError) return <div className="pt-5"><InlineError error={errorOf(recent.error)} /></div>;
  if (!recent.data) return <SkeletonRows rows={4} height={36} />;
  const events = eventsOf(recent.data.events, row.arn);
  return (
    <div className="pt-4">
      {events.length === 0 ? (
        <p className="text-fg-2">{recent.data.cut ? `Nothing in the latest ${counted(MOST_EVENTS)} records.` : 'Nothing was asked of this key yet.'}</p>
      ) : (
        <table className="w-full table-fixed text-left">
          <thead className="sr-only"><tr><th>When</th><th>Operation</th><th>From</th><th>Outcome</th></tr></thead>
          <tbody>
            {events.slice(0, MOST).map((event) => (
              <tr key={event.Index} className="h-9 shadow-[inset_0_-1px_0_var(--line)]">
                <td className="w-[22%] text-fg-2" title={exact(event.Time * 1000)}>{ago(event.Time * 1000, at)}</td>
                <td className="truncate font-mono text-[12.5px]">{bareOperation(event.Operation ?? event.Kind)}</td>
                <td className="w-[26%] truncate text-fg-2">{doorWords(event.Door)}</td>
                <td className="w-[20%]"><OutcomeWord event={event} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Button className="mt-4" icon={<ArrowRight size={14} strokeWidth={1.6} />} onClick={() => { void navigate({ to: '/trail', search: { find: row.id } }); }}>Show in Trail</Button>
    </div>
  );
}
