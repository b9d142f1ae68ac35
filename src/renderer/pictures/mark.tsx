/** The mark: a keystone with a keyhole. */
export function Mark({ size = 16 }: { readonly size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 16 16" className="shrink-0 text-glyph">
      <path fill="currentColor" fillRule="evenodd" d="M1.6 1.5h12.8a.6.6 0 0 1 .6.74l-2.6 11.8a.6.6 0 0 1-.58.46H4.18a.6.6 0 0 1-.58-.46L1 2.24a.6.6 0 0 1 .6-.74zM8 4.3a1.9 1.9 0 0 0-1 3.5L6.5 11h3L9 7.8a1.9 1.9 0 0 0-1-3.5z" />
    </svg>
  );
}

export function MarkTile() {
  return (
    <span aria-hidden="true" className="tint-glyph grid size-[26px] shrink-0 place-items-center rounded-[7px]">
      <Mark size={14} />
    </span>
  );
}
